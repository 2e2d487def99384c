// SPDX-License-Identifier: MIT
// B. finalize: which thread may claim a finalizer, and what happens to its function.
#include <unistd.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "conformance/harness/suite.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(finalizing);

// Shows: F-04, F-05.
TYPED_TEST(finalizing, c016_a_call_gives_the_result_once) {
  int runs = 0;
  os_thread([&] {
    const auto f = finalize<TypeParam>([&runs] { return ++runs + 41; });
    EXPECT_EQ(f(), std::optional<int>(42));
    EXPECT_EQ(f(), std::nullopt);
    EXPECT_EQ(f.state(), finalizer_state::gone);
    const auto nothing = finalize<TypeParam>([&runs] { ++runs; });
    EXPECT_TRUE(nothing());
    EXPECT_FALSE(nothing());
  }).join();
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(this->delta().ran_by_call, 2U);
}

// `begin` registers on a thread of its own. Then that thread, or this one, acts while it lives.
template <class Begin, class Act>
void act_on_pending(bool by_another, Begin begin, Act act) {
  gate made;
  gate acted;
  os_thread t([&] {
    begin();
    made.open();
    if (!by_another) act();
    acted.wait();
  });
  made.wait();
  if (by_another) act();
  acted.open();
}

// The handle may be a member of what the finalizer destroys.
TYPED_TEST(finalizing, c016_a_call_survives_the_end_of_its_handle) {
  struct connection {
    finalizer<int, TypeParam> closing;
  };
  for (const bool by_another : {false, true}) {
    auto* c = new connection;
    const auto make = [c] {
      c->closing = finalize<TypeParam>([c] {
        delete c;
        return 7;
      });
    };
    act_on_pending(by_another, make, [c] { EXPECT_EQ(c->closing(), std::optional<int>(7)); });
  }
  EXPECT_EQ(this->delta().ran_by_call, 2U);
}

// Shows: F-04.
TYPED_TEST(finalizing, c017_what_a_call_throws_is_passed_on) {
  int runs = 0;
  os_thread([&] {
    const auto f = finalize<TypeParam>([&runs] {
      ++runs;
      throw std::runtime_error("passed on");
    });
    EXPECT_THROW(f(), std::runtime_error);
    EXPECT_FALSE(f.alive());
    EXPECT_FALSE(f());
  }).join();
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(this->delta().ran_by_call, 1U);
}

// Shows: F-06, F-07.
TYPED_TEST(finalizing, c018_detach_hands_over_function_and_thread) {
  int runs = 0;
  os_thread([&] {
    const auto f = finalize<TypeParam>([&runs](int by) { return runs += by; }, 5);
    auto owned = f.detach();
    ASSERT_TRUE(owned);
    EXPECT_EQ(owned->thread(), current<TypeParam>());
    EXPECT_FALSE(f.detach());
    EXPECT_FALSE(f());
    EXPECT_EQ(runs, 0);
    EXPECT_EQ((*owned)(), std::optional<int>(5));
    EXPECT_EQ((*owned)(), std::nullopt);
  }).join();
  EXPECT_EQ(runs, 5);
  EXPECT_EQ(this->delta().detached, 1U);
}

// Differs: F-29: it has no text: state() says how it is, its thread's serial and tid whose it is.
TYPED_TEST(finalizing, c018_a_detached_function_outlives_its_thread) {
  auto held = std::make_shared<int>(0);
  std::optional<detached<void>> owned;
  pid_t tid = 0;
  os_thread([&] {
    tid = gettid();
    owned = finalize<TypeParam>([held] { ++*held; }).detach();
  }).join();
  ASSERT_TRUE(owned);
  EXPECT_EQ(owned->thread().state(), thread_state::ended);
  EXPECT_EQ(owned->thread().tid(), tid);
  EXPECT_TRUE((*owned)());
  EXPECT_EQ(*held, 1);
  EXPECT_EQ(held.use_count(), 1);
}

// Shows: F-08.
TYPED_TEST(finalizing, c019_peek_changes_nothing) {
  this->run([](auto& me) {
    const auto e = me.add();
    for (int i = 0; i != 2; ++i) {
      const auto seen = e.handle.peek();
      ASSERT_TRUE(seen);
      EXPECT_EQ(*seen, current<TypeParam>());
    }
    EXPECT_TRUE(e.handle.alive());
  });
}

// Shows: F-09.
TYPED_TEST(finalizing, c020_alive_before_and_dead_after) {
  plain_finalizer<TypeParam> at_exit;
  plain_finalizer<TypeParam> by_call;
  os_thread([&] {
    EXPECT_FALSE(at_exit.alive());  // an empty handle
    at_exit = finalize<TypeParam>([] {});
    by_call = finalize<TypeParam>([] {});
    EXPECT_TRUE(at_exit.alive());
    EXPECT_EQ(at_exit.state(), finalizer_state::armed);
    by_call();
    EXPECT_FALSE(by_call.alive());
  }).join();
  EXPECT_FALSE(at_exit.alive());
  EXPECT_EQ(at_exit.state(), finalizer_state::gone);
}

// The next registration reuses the memory of one that is gone; a handle of the old one does not
// refer to the new one.
TYPED_TEST(finalizing, c020_dead_although_its_place_is_taken) {
  std::vector<plain_finalizer<TypeParam>> stale(8);
  std::vector<plain_finalizer<TypeParam>> fresh(stale.size());
  int ran = 0;
  const auto expect_dead = [&stale] {
    for (plain_finalizer<TypeParam>& f : stale) {
      EXPECT_EQ(f.state(), finalizer_state::gone);
      EXPECT_FALSE(f.peek());
      EXPECT_FALSE(f());
      EXPECT_FALSE(f.cancel());
      EXPECT_FALSE(f.detach());
      f.wait();
    }
  };
  os_thread([&] {
    for (plain_finalizer<TypeParam>& f : stale) f = finalize<TypeParam>([] { ADD_FAILURE(); });
    for (plain_finalizer<TypeParam>& f : stale) EXPECT_TRUE(f.cancel());
    for (plain_finalizer<TypeParam>& f : fresh) f = finalize<TypeParam>([&ran] { ++ran; });
    expect_dead();
    os_thread(expect_dead).join();
    for (plain_finalizer<TypeParam>& f : fresh) EXPECT_TRUE(f.alive());
  }).join();
  EXPECT_EQ(ran, static_cast<int>(fresh.size()));
}

// Shows: F-10.
TYPED_TEST(finalizing, c020_the_flag_for_the_process_exit) {
  plain_finalizer<TypeParam> pending;
  int runs = 0;
  os_thread([&] {
    EXPECT_FALSE(pending.atexit());  // an empty handle
    pending.atexit(true);
    pending = finalize<TypeParam>([&] {
      ++runs;
      EXPECT_FALSE(pending.atexit());
      pending.atexit(true);
      EXPECT_FALSE(pending.atexit());
      EXPECT_EQ(pending.state(), finalizer_state::running);
    });
    for (const bool wanted : {true, false, true, false}) {
      if (pending.atexit() != wanted) pending.atexit(wanted);
      EXPECT_EQ(pending.atexit(), wanted);
      EXPECT_TRUE(pending.alive());
    }
    const auto called = finalize<TypeParam>([&runs] { ++runs; });
    EXPECT_TRUE(called.atexit());
    EXPECT_TRUE(called());
    EXPECT_FALSE(called.atexit());
  }).join();
  EXPECT_EQ(runs, 2) << "the exit of its thread runs it in any case";
  pending.atexit(true);
  EXPECT_FALSE(pending.atexit());
  EXPECT_FALSE(pending.alive());
}

// Shows: F-10.
TYPED_TEST(finalizing, c020_setting_the_flag_of_a_dead_one_is_ignored) {
  this->run([](auto& me) {
    const auto dead = me.add();
    me.removed(dead.id);
    EXPECT_TRUE(dead.handle.cancel());
    const auto successor = me.add();  // in its slot
    dead.handle.atexit(false);
    EXPECT_TRUE(successor.handle.atexit());
    EXPECT_FALSE(dead.handle.atexit());
    successor.handle.atexit(false);
    dead.handle.atexit(true);
    EXPECT_FALSE(successor.handle.atexit());
  });
}

TYPED_TEST(finalizing, c020_another_thread_sets_the_flag_until_the_thread_drains) {
  plain_finalizer<TypeParam> pending;
  gate made;
  gate set;
  gate draining;
  gate tried;
  os_thread owner([&] {
    pending = finalize<TypeParam>([] {});
    finalize<TypeParam>([&] {
      draining.open();
      tried.wait();
      EXPECT_FALSE(pending.atexit());
      pending.atexit(true);  // a sibling on the draining thread may
      EXPECT_TRUE(pending.atexit());
    });
    made.open();
    set.wait();
  });
  made.wait();
  EXPECT_TRUE(pending.atexit());
  pending.atexit(false);
  EXPECT_FALSE(pending.atexit());
  set.open();
  draining.wait();
  pending.atexit(true);
  EXPECT_FALSE(pending.atexit()) << "another thread can't set it once its thread drains";
  tried.open();
  owner.join();
}

// Shows: F-02.
TYPED_TEST(finalizing, c021_dropping_the_handle_cancels_nothing) {
  this->run([](auto& me) { static_cast<void>(me.add()); });
}

// Logs its destruction: shows when an argument is destroyed.
struct traced {
  traced(std::vector<std::string>& in, std::string as) : log(&in), name(std::move(as)) {}
  traced(traced&& from) noexcept : log(from.log), name(std::exchange(from.name, {})) {}
  traced(const traced&) = delete;
  traced& operator=(const traced&) = delete;
  ~traced() {
    if (!name.empty()) log->push_back("~" + name);
  }
  std::vector<std::string>* log;
  std::string name;
};

// Shows: F-03.
// Differs: F-27: C++ collects no garbage; what a finalizer holds goes right after its run.
TYPED_TEST(finalizing, c022_arguments_live_until_right_after_the_run) {
  std::vector<std::string> log;
  os_thread([&] {
    const auto note = [&log](const traced& what) { log.push_back(what.name); };
    finalize<TypeParam>(note, traced(log, "first"));
    finalize<TypeParam>(note, traced(log, "second"));
    log.emplace_back("body");
  }).join();
  EXPECT_EQ(log, (std::vector<std::string>{"body", "second", "~second", "first", "~first"}));
}

// Shows: F-01.
TYPED_TEST(finalizing, c023_arguments_are_decay_copied) {
  int by_reference = 1;
  std::string seen;
  os_thread([&] {
    char text[] = "copied";
    int by_value = 1;
    finalize<TypeParam>(
        [&seen](const std::string& a, int b, int& c, std::unique_ptr<int> d) {
          seen = a + std::to_string(b) + std::to_string(c) + std::to_string(*d);
          c = 9;
        },
        std::string(text), by_value, std::ref(by_reference), std::make_unique<int>(4));
    by_value = 2;
    by_reference = 3;
    text[0] = 'X';
  }).join();
  EXPECT_EQ(seen, "copied134");
  EXPECT_EQ(by_reference, 9);
}

// Shows: F-15.
TYPED_TEST(finalizing, c024_inside_its_own_run_it_is_neither_alive_nor_to_be_had) {
  plain_finalizer<TypeParam> f;
  bool ran = false;
  os_thread([&] {
    f = finalize<TypeParam>([&] {
      ran = true;
      EXPECT_FALSE(f.alive());
      EXPECT_EQ(f.state(), finalizer_state::running);
      EXPECT_FALSE(f.peek());
      EXPECT_FALSE(f.detach());
      EXPECT_FALSE(f.cancel());
      EXPECT_FALSE(f());
    });
  }).join();
  EXPECT_TRUE(ran);
}

// Differs: F-01: what can't be called is refused at once.
TYPED_TEST(finalizing, c028_a_null_function_is_refused) {
  os_thread([] {
    using function = void (*)();
    EXPECT_THROW(finalize<TypeParam>(function{nullptr}), std::invalid_argument);
    EXPECT_THROW(finalize<TypeParam>(std::function<int()>{}), std::invalid_argument);
    const auto tried = try_finalize<TypeParam>(function{nullptr});
    EXPECT_FALSE(tried);
    EXPECT_EQ(tried.error, std::errc::invalid_argument);
    EXPECT_FALSE(tried.handle.alive());
  }).join();
  EXPECT_EQ(this->delta().registered, 0U);
}

// Everything that can fail fails before anything is registered.
TYPED_TEST(finalizing, c104_a_copy_that_throws_registers_nothing) {
  struct fragile {
    fragile() = default;
    fragile(const fragile& /*from*/) { throw std::runtime_error("no copy"); }
    fragile& operator=(const fragile&) = delete;
    ~fragile() = default;
    void operator()() const {}
  };
  this->run([](auto& me) {
    me.add();
    const fragile f;
    EXPECT_THROW(finalize<TypeParam>(f), std::runtime_error);
    me.add();
  });
  EXPECT_EQ(this->delta().registered, 2U);
}

TYPED_TEST(finalizing, c126_cancel_destroys_the_function_at_once_on_the_caller) {
  for (const bool by_another : {false, true}) {
    auto held = std::make_shared<int>(0);
    plain_finalizer<TypeParam> f;
    const auto make = [&] { f = finalize<TypeParam>([held] { ++*held; }); };
    act_on_pending(by_another, make, [&] {
      EXPECT_TRUE(f.cancel());
      EXPECT_EQ(held.use_count(), 1);
    });
    EXPECT_FALSE(f.cancel());
    EXPECT_EQ(*held, 0);
  }
  EXPECT_EQ(this->delta().detached, 2U);
}

// The handle may be a member of an object that only the cancelled function keeps alive.
TYPED_TEST(finalizing, c126_cancel_survives_the_end_of_its_handle) {
  struct connection {
    plain_finalizer<TypeParam> closing;
  };
  for (const bool by_another : {false, true}) {
    connection* c = nullptr;
    const auto make = [&c] {
      auto owned = std::make_shared<connection>();
      c = owned.get();
      c->closing = finalize<TypeParam>([keep = std::move(owned)] {});
    };
    act_on_pending(by_another, make, [&c] { EXPECT_TRUE(c->closing.cancel()); });
  }
}

}  // namespace
}  // namespace threadref::conformance
