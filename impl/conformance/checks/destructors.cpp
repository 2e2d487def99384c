// SPDX-License-Identifier: MIT
// C, D, E and K. Registered destructors, which are the second stage: their order, their arguments,
// and what the two stages may do to each other.
#include <pthread.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "conformance/harness/incidents.hpp"
#include "conformance/harness/suite.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(destructors);

using entries = std::vector<std::string>;

// The variables. They are trivially destructible, as the contract requires.
constinit thread_local void* a = nullptr;
constinit thread_local void* b = nullptr;
constinit thread_local void* c = nullptr;
// The log of a destructor that is called with null.
constinit thread_local entries* log_of_thread = nullptr;

// What such a variable points to here.
struct value {
  entries* log;
  std::string name;
  std::function<void()> work = {};
};

template <char Function>
void note(void* of) {
  if (of == nullptr) {
    log_of_thread->push_back(std::string("null by ") + Function);
    return;
  }
  const value& v = *static_cast<value*>(of);
  v.log->push_back(v.name + " by " + Function);
  if (v.work) v.work();
}

// Registers, and expects success.
template <backend B>
void add(void** variable, void (*function)(void*), null_policy on_null = null_policy::call) {
  EXPECT_EQ(register_destructor<B>(variable, function, on_null), std::error_code{});
}

// Shows: W-02, W-24.
TYPED_TEST(destructors, c033_oldest_first_over_mixed_variables) {
  entries log;
  value x{&log, "a"};
  value y{&log, "b"};
  value z{&log, "c"};
  os_thread([&] {
    a = &x, b = &y, c = &z;
    add<TypeParam>(&b, &note<'1'>);
    add<TypeParam>(&a, &note<'2'>);
    add<TypeParam>(&c, &note<'1'>, null_policy::skip);
    add<TypeParam>(&a, &note<'1'>);
    add<TypeParam>(&b, &note<'2'>);
  }).join();
  EXPECT_EQ(log, (entries{"b by 1", "a by 2", "c by 1", "a by 1", "b by 2"}));
  EXPECT_EQ(this->delta().ran_at_exit, 5U);
}

// Shows: W-01, W-02.
TYPED_TEST(destructors, c033_oldest_first_among_many) {
  struct numbered {
    std::vector<int>* log;
    int id;
  };
  constexpr int many = 10'000;
  std::vector<int> log;
  std::vector<numbered> values;
  std::vector<void*> variables;
  for (int i = 0; i != many; ++i) values.push_back({&log, i});
  variables.reserve(values.size());
  for (numbered& v : values) variables.push_back(&v);
  os_thread([&] {
    for (void*& v : variables) {
      add<TypeParam>(&v, [](void* of) {
        const numbered& n = *static_cast<numbered*>(of);
        n.log->push_back(n.id);
      });
    }
  }).join();
  std::vector<int> expected;
  for (int i = 0; i != many; ++i) expected.push_back(i);
  EXPECT_EQ(log, expected);
}

// Shows: W-14.
TYPED_TEST(destructors, c034_after_all_finalizers) {
  entries log;
  value x{&log, "a"};
  std::optional<basic_ref<TypeParam>> r;
  os_thread([&] {
    a = &x;
    const auto append = [&log](const char* what) { log.emplace_back(what); };
    add<TypeParam>(&a, &note<'1'>);
    finalize<TypeParam>([&, append] {
      append("first");
      finalize<TypeParam>(append, "late");
    });
    finalize<TypeParam>(append, "second");
    add<TypeParam>(&a, &note<'2'>);
    r.emplace([append](const auto& /*self*/) { append("ref"); });
  }).join();
  EXPECT_EQ(log, (entries{"ref", "second", "first", "late", "a by 1", "a by 2"}));
}

// Once begun, the second stage runs to its end before finalizers that it registered.
TYPED_TEST(destructors, c041_each_stage_may_register_with_the_other) {
  entries log;
  value x{&log, "a"};
  value y{&log, "b"};
  value z{&log, "c"};
  x.work = [&] {
    finalize<TypeParam>([&log] { log.emplace_back("made in stage 2"); });
    add<TypeParam>(&c, &note<'3'>);
  };
  os_thread([&] {
    a = &x, b = &y, c = &z;
    finalize<TypeParam>([&log] { log.emplace_back("finalizer"); });
    finalize<TypeParam>([&log] {
      log.emplace_back("finalizer");
      add<TypeParam>(&a, &note<'1'>);
      add<TypeParam>(&b, &note<'2'>);
    });
  }).join();
  EXPECT_EQ(log,
            (entries{"finalizer", "finalizer", "a by 1", "b by 2", "c by 3", "made in stage 2"}));
  EXPECT_EQ(this->delta().ran_at_exit, 6U);
}

// A finalizer that registers a destructor that registers such a finalizer.
template <class B>
struct see_saw {
  std::uint64_t finalizers = 0;
  std::uint64_t destructors = 0;
  void in_stage_1() {
    ++finalizers;
    a = this;
    add<B>(&a, [](void* self) { static_cast<see_saw*>(self)->in_stage_2(); });
  }
  void in_stage_2() {
    ++destructors;
    finalize<B>([this] { in_stage_1(); });
  }
};

TYPED_TEST(destructors, c039_stages_that_always_register_with_each_other_are_abandoned) {
  const captured_incidents incidents;
  see_saw<TypeParam> endless;
  std::uint64_t serial = 0;
  bool innocent_ran = false;
  os_thread([&] {
    serial = current<TypeParam>().serial();
    finalize_in<TypeParam>(exit_phase::very_last, [&] { innocent_ran = true; });
    endless.in_stage_1();
  }).join();
  // The next destructor and the very_last finalizer are abandoned. (The body did the first half of
  // the first turn.)
  EXPECT_EQ(endless.destructors, configured().alternations_max);
  EXPECT_EQ(endless.finalizers, configured().alternations_max + 1U);
  EXPECT_FALSE(innocent_ran);
  EXPECT_EQ(this->delta().abandoned, 2U);
  const reported_incident it = incidents.only();
  EXPECT_EQ(it.kind, incident::abandoned);
  EXPECT_EQ(it.serial, serial);
}

TYPED_TEST(destructors, c048_one_that_throws_is_reported_and_the_rest_run) {
  const captured_incidents incidents;
  entries log;
  value x{&log, "a"};
  value y{&log, "b", [] { throw std::runtime_error("stage 2"); }};
  std::uint64_t serial = 0;
  os_thread([&] {
    serial = current<TypeParam>().serial();
    a = &x, b = &y;
    add<TypeParam>(&a, &note<'1'>);
    add<TypeParam>(&b, &note<'2'>);
    add<TypeParam>(&a, &note<'3'>);
  }).join();
  EXPECT_EQ(log, (entries{"a by 1", "b by 2", "a by 3"}));
  const reported_incident it = incidents.only();
  EXPECT_EQ(it.kind, incident::threw);
  EXPECT_EQ(it.what, "stage 2");
  EXPECT_EQ(it.serial, serial);
  EXPECT_EQ(this->delta().ran_at_exit, 3U);
}

// Differs: W-20: the rest runs.
TYPED_TEST(destructors, c062_pthread_exit_inside_one_runs_the_rest) {
  entries log;
  value x{&log, "a", [] { pthread_exit(nullptr); }};
  value y{&log, "b"};
  os_thread([&] {
    a = &x, b = &y;
    add<TypeParam>(&b, &note<'1'>);
    add<TypeParam>(&a, &note<'2'>);
    add<TypeParam>(&b, &note<'3'>);
  }).join();
  EXPECT_EQ(log, (entries{"b by 1", "a by 2", "b by 3"}));
}

TYPED_TEST(destructors, c095_null_is_passed_on_or_skipped) {
  entries log;
  value y{&log, "b"};
  os_thread([&] {
    log_of_thread = &log;
    b = &y;
    add<TypeParam>(&a, &note<'1'>);
    add<TypeParam>(&a, &note<'2'>, null_policy::skip);
    add<TypeParam>(&b, &note<'3'>, null_policy::skip);
    add<TypeParam>(&a, &note<'4'>, null_policy::call);
  }).join();
  EXPECT_EQ(log, (entries{"null by 1", "b by 3", "null by 4"}));
  EXPECT_EQ(this->delta().dropped, 1U) << "the one that was skipped";
}

TYPED_TEST(destructors, c096_a_null_variable_or_function_is_refused) {
  os_thread([] {
    for (const null_policy p : {null_policy::call, null_policy::skip}) {
      EXPECT_EQ(register_destructor<TypeParam>(nullptr, &note<'1'>, p),
                std::errc::invalid_argument);
      EXPECT_EQ(register_destructor<TypeParam>(&a, nullptr, p), std::errc::invalid_argument);
      EXPECT_EQ(register_destructor<TypeParam>(nullptr, nullptr, p), std::errc::invalid_argument);
    }
    EXPECT_FALSE(try_current<TypeParam>()) << "not even the thread has become known";
  }).join();
  EXPECT_EQ(this->delta().registered, 0U);
}

// Shows: W-03, W-10, W-24.
TYPED_TEST(destructors, c097_the_value_is_read_when_its_turn_has_come) {
  entries log;
  value at_registration{&log, "registered with"};
  value in_body{&log, "set by the body"};
  value in_finalizer{&log, "set by a finalizer"};
  value by_older{&log, "set by an older one"};
  in_body.work = [&] {
    c = &by_older;
    a = nullptr;
  };
  os_thread([&] {
    log_of_thread = &log;
    a = b = c = &at_registration;
    add<TypeParam>(&a, &note<'1'>);
    add<TypeParam>(&b, &note<'2'>);
    add<TypeParam>(&c, &note<'3'>);
    add<TypeParam>(&a, &note<'4'>, null_policy::skip);
    finalize<TypeParam>([&] { b = &in_finalizer; });
    a = &in_body;
  }).join();
  EXPECT_EQ(log, (entries{"set by the body by 1", "set by a finalizer by 2",
                          "set by an older one by 3"}));
}

TYPED_TEST(destructors, c098_the_same_pair_three_times_is_called_three_times) {
  entries log;
  value x{&log, "a"};
  os_thread([&] {
    a = &x;
    for (int i = 0; i != 3; ++i) add<TypeParam>(&a, &note<'1'>);
  }).join();
  EXPECT_EQ(log, entries(3, "a by 1"));
}

// Shows: W-07, W-23.
TYPED_TEST(destructors, c099_unregistering_removes_all_of_the_variable_and_no_other) {
  entries log;
  value x{&log, "a"};
  value y{&log, "b"};
  os_thread([&] {
    EXPECT_FALSE(unregister_destructor<TypeParam>(&a)) << "a thread without any";
    a = &x, b = &y;
    add<TypeParam>(&a, &note<'1'>);
    add<TypeParam>(&b, &note<'2'>);
    add<TypeParam>(&a, &note<'3'>, null_policy::skip);
    add<TypeParam>(&a, &note<'1'>);
    add<TypeParam>(&b, &note<'4'>);
    EXPECT_TRUE(unregister_destructor<TypeParam>(&a));
    EXPECT_FALSE(unregister_destructor<TypeParam>(&a)) << "all of them are removed";
    EXPECT_FALSE(unregister_destructor<TypeParam>(&c)) << "never registered";
    EXPECT_FALSE(unregister_destructor<TypeParam>(nullptr));
    add<TypeParam>(&c, &note<'5'>, null_policy::skip);  // into a slot that became free
    add<TypeParam>(&b, &note<'6'>);
  }).join();
  EXPECT_EQ(log, (entries{"b by 2", "b by 4", "b by 6"}));
  EXPECT_EQ(this->delta().detached, 3U);
}

TYPED_TEST(destructors, c099_a_finalizer_may_unregister) {
  entries log;
  value x{&log, "a"};
  value y{&log, "b"};
  os_thread([&] {
    a = &x, b = &y;
    add<TypeParam>(&a, &note<'1'>);
    add<TypeParam>(&b, &note<'2'>);
    finalize<TypeParam>([] {
      EXPECT_TRUE(unregister_destructor<TypeParam>(&a));
      EXPECT_FALSE(unregister_destructor<TypeParam>(&a));
    });
  }).join();
  EXPECT_EQ(log, entries{"b by 2"});
}

// The closure is destroyed, but its place has not come back to its thread.
TYPED_TEST(destructors, c099_what_another_thread_destroyed_is_not_there) {
  gate registered;
  gate destroyed;
  os_thread owner([&] {
    add<TypeParam>(&a, &note<'1'>);
    registered.open();
    destroyed.wait();
    EXPECT_FALSE(unregister_destructor<TypeParam>(&a));
  });
  registered.wait();
  EXPECT_EQ(detach_all<TypeParam>(reinterpret_cast<const void*>(&note<'1'>)), 1U);
  destroyed.open();
}

// One variable for all threads: an entry still belongs to the thread that registered it.
TYPED_TEST(destructors, c099_another_threads_entry_for_the_same_variable_stays) {
  static void* shared = nullptr;
  entries log;
  value x{&log, "shared"};
  shared = &x;
  gate registered;
  gate unregistered;
  os_thread keeper([&] {
    add<TypeParam>(&shared, &note<'1'>);
    registered.open();
    unregistered.wait();
  });
  registered.wait();
  os_thread([] {
    EXPECT_FALSE(unregister_destructor<TypeParam>(&shared)) << "it is the other thread's";
    add<TypeParam>(&shared, &note<'2'>);
    EXPECT_TRUE(unregister_destructor<TypeParam>(&shared));
  }).join();
  unregistered.open();
  keeper.join();
  EXPECT_EQ(log, entries{"shared by 1"});
}

TYPED_TEST(destructors, c100_inside_one_what_is_pending_can_be_unregistered) {
  entries log;
  value x{&log, "a"};
  value y{&log, "b"};
  value z{&log, "c"};
  y.work = [] {
    EXPECT_FALSE(unregister_destructor<TypeParam>(&a)) << "finished";
    EXPECT_FALSE(unregister_destructor<TypeParam>(&b)) << "running";
    EXPECT_TRUE(unregister_destructor<TypeParam>(&c)) << "pending";
    EXPECT_FALSE(unregister_destructor<TypeParam>(&c));
  };
  os_thread([&] {
    a = &x, b = &y, c = &z;
    add<TypeParam>(&a, &note<'1'>);
    add<TypeParam>(&b, &note<'2'>);
    add<TypeParam>(&c, &note<'3'>);
    add<TypeParam>(&c, &note<'4'>);
  }).join();
  EXPECT_EQ(log, (entries{"a by 1", "b by 2"}));
  EXPECT_EQ(this->delta().detached, 2U);
}

TYPED_TEST(destructors, c100_a_running_one_may_unregister_what_its_variable_has_left) {
  entries log;
  value x{&log, "a"};
  x.work = [] {
    EXPECT_TRUE(unregister_destructor<TypeParam>(&a));
    EXPECT_FALSE(unregister_destructor<TypeParam>(&a));
    a = nullptr;
    add<TypeParam>(&a, &note<'2'>, null_policy::skip);  // and register again
  };
  os_thread([&] {
    log_of_thread = &log;
    a = &x;
    for (int i = 0; i != 3; ++i) add<TypeParam>(&a, &note<'1'>);
  }).join();
  EXPECT_EQ(log, entries{"a by 1"});
  EXPECT_EQ(this->delta().detached, 2U);
}

}  // namespace
}  // namespace threadref::conformance
