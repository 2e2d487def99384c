// SPDX-License-Identifier: MIT
// D. Registration during exit: it runs in the same exit, or is refused. It is never lost.
#include <pthread.h>

#include <concepts>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "conformance/harness/incidents.hpp"
#include "conformance/harness/suite.hpp"
#include "conformance/harness/thread_values.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(late);

// Differs: F-18: it runs next, in the same exit: nobody would look for it at the end of the
// process.
TYPED_TEST(late, c037_a_finalizer_of_a_finalizer_runs_next) {
  lane_on<TypeParam>* lane = nullptr;
  this->run([&lane](auto& me) {
    lane = &me;
    me.add();
    me.add_and([&me] {
      me.add();
      me.add();
    });
  });
  EXPECT_EQ(lane->order(), (std::vector<int>{1, 3, 2, 0}));
}

// A newer finalizer that another thread still runs keeps its place until that run is over.
TYPED_TEST(late, c037_what_comes_late_leaves_the_place_of_what_runs_elsewhere) {
  struct {
    gate running;
    gate registered;
  } gates;
  finalizer<int, TypeParam> f;
  gate made;
  int ran = 0;
  os_thread owner([&] {
    finalize<TypeParam>([&] {
      for (int i = 0; i != 3; ++i) finalize<TypeParam>([&ran] { ++ran; });
      gates.registered.open();
    });
    f = finalize<TypeParam>([&gates, secret = 37] {
      gates.running.open();
      gates.registered.wait();
      return secret;
    });
    made.open();
    gates.running.wait();
  });
  made.wait();
  EXPECT_EQ(f(), std::optional<int>(37));
  owner.join();
  EXPECT_EQ(ran, 3);
}

// Called as a closure moves into the place that it already owns: registers one, cancels it, and
// registers another, so that the next free place changes.
template <class B>
void register_and_cancel(lane_on<B>& me) noexcept {
  try {
    const auto cancelled = me.add();
    me.removed(cancelled.id);
    EXPECT_TRUE(cancelled.handle.cancel());
    me.add();
  } catch (...) {  // a moved closure must not throw
    std::terminate();
  }
}
template <class B>
struct moved_by_code {
  lane_on<B>* me;
  int* ran;
  moved_by_code(lane_on<B>& on, int& count) : me(&on), ran(&count) {}
  moved_by_code(moved_by_code&& from) noexcept : me(from.me), ran(from.ran) {
    register_and_cancel(*me);
  }
  moved_by_code(const moved_by_code&) = delete;
  moved_by_code& operator=(const moved_by_code&) = delete;
  ~moved_by_code() = default;
  void operator()() const { ++*ran; }
};
// Trivially copyable, and yet copying a variable is not trivial: the template is the better match.
template <class B>
struct copied_by_code {
  lane_on<B>* me;
  int* ran;
  copied_by_code(lane_on<B>& on, int& count) : me(&on), ran(&count) {}
  template <class Same>
  requires std::same_as<Same, copied_by_code>  // NOLINTNEXTLINE(google-explicit-constructor)
  copied_by_code(Same& from)
  noexcept : me(from.me), ran(from.ran) { register_and_cancel(*me); }
  void operator()() const { ++*ran; }
};

TYPED_TEST(late, c037_what_a_function_registers_as_it_moves_into_its_place) {
  int ran = 0;
  constexpr int each = 100;
  this->run([&ran](auto& me) {
    const auto hole = me.add();
    me.add();
    me.removed(hole.id);
    EXPECT_TRUE(hole.handle.cancel());
    copied_by_code<TypeParam> copied(me, ran);
    static_assert(std::is_trivially_copyable_v<decltype(copied)>);
    for (int i = 0; i != each; ++i) {
      finalize<TypeParam>(moved_by_code<TypeParam>(me, ran));
      finalize<TypeParam>(copied);
      finalize_in<TypeParam>(exit_phase::very_last, moved_by_code<TypeParam>(me, ran));
    }
  });
  EXPECT_EQ(ran, 3 * each);
}

template <class B>
void chain(lane_on<B>& me, int more) {
  me.add_and([&me, more] {
    if (more > 1) chain(me, more - 1);
  });
}

TYPED_TEST(late, c038_a_chain_of_10_000) {
  lane_on<TypeParam>* lane = nullptr;
  this->run([&lane](auto& me) {
    lane = &me;
    chain(me, 10'000);
  });
  EXPECT_EQ(lane->order().size(), 10'000U);
}

TYPED_TEST(late, c039_one_that_always_registers_another_is_abandoned) {
  const captured_incidents incidents;
  std::uint64_t runs = 0;
  std::uint64_t serial = 0;
  int innocent = 0;
  os_thread([&] {
    serial = current<TypeParam>().serial();
    finalize<TypeParam>([&innocent] { ++innocent; });
    finalize<TypeParam>(for_ever<TypeParam>{&runs});
  }).join();
  // The first, and then as many as the limit allows; the next and the pending one are abandoned.
  EXPECT_EQ(runs, options{}.late_registrations_max + 1);
  EXPECT_EQ(innocent, 0);
  EXPECT_EQ(this->delta().abandoned, 2U);
  const reported_incident it = incidents.only();
  EXPECT_EQ(it.kind, incident::abandoned);
  EXPECT_EQ(it.serial, serial);
}

TYPED_TEST(late, c039_after_that_registering_is_refused) {
  const captured_incidents incidents;
  std::uint64_t runs = 0;
  std::errc error{};
  const pthread_key_t high = younger_key<TypeParam>();
  key_task after(1, [&error](int /*round*/) { error = try_finalize<TypeParam>([] {}).error; });
  os_thread([&] {
    after.arm(high);
    finalize<TypeParam>(for_ever<TypeParam>{&runs});
  }).join();
  EXPECT_EQ(error, std::errc::operation_not_permitted);
  EXPECT_EQ(incidents.all().size(), 1U);
}

// Runs a function when it is destroyed.
struct at_end {
  std::function<void()> work;
  ~at_end() {
    if (work) work();
  }
};
template <class B, class Tag>
at_end& end_of_thread_local() {
  static thread_local at_end slot;
  return slot;
}

TYPED_TEST(late, c042_from_the_destructor_of_an_older_thread_local) {
  struct tag {};
  std::vector<std::string> log;
  std::uint64_t before = 0;
  os_thread([&] {
    end_of_thread_local<TypeParam, tag>().work = [&] {
      finalize<TypeParam>([&log] { log.emplace_back("late"); });
      EXPECT_EQ(current<TypeParam>().serial(), before);
      log.emplace_back("thread_local");
    };
    before = current<TypeParam>().serial();
    finalize<TypeParam>([&log] { log.emplace_back("in time"); });
  }).join();
  const bool among = has(TypeParam::info.capabilities, capability::among_thread_locals);
  EXPECT_EQ(log, among ? (std::vector<std::string>{"in time", "thread_local", "late"})
                       : (std::vector<std::string>{"thread_local", "late", "in time"}));
}

// The results of registering in each round of a foreign key. ThreadSanitizer ends a thread in its
// last round, so there nothing may run in that one.
constexpr int rounds_to_try = detail::destructor_rounds;

struct attempts {
  std::vector<std::string> registered;
  std::vector<std::string> refused;
  std::vector<std::string> ran;
  std::vector<std::uint64_t> serials;
};

template <class B>
void attempt(attempts& made, int round) {
  const std::string name = "round " + std::to_string(round);
  const auto tried = try_finalize<B>([&made, name] { made.ran.push_back(name); });
  (tried ? made.registered : made.refused).push_back(name);
  EXPECT_EQ(tried.error, tried ? std::errc{} : std::errc::operation_not_permitted);
  made.serials.push_back(current<B>().serial());
}

TYPED_TEST(late, c043_from_an_older_key_in_every_round) {
  attempts made;
  std::uint64_t serial = 0;
  key_task older(rounds_to_try, [&](int round) { attempt<TypeParam>(made, round); });
  os_thread([&] {
    older.arm(older_key());
    serial = current<TypeParam>().serial();
    finalize<TypeParam>([] {});
  }).join();
  EXPECT_EQ(made.registered.size() + made.refused.size(), std::size_t{rounds_to_try});
  EXPECT_EQ(made.ran, made.registered);
  EXPECT_EQ(made.refused.size(), 0U);
  for (const std::uint64_t s : made.serials) EXPECT_EQ(s, serial);  // 45
}

// After the back end's last pass it can't run anything: registering is refused with an error.
template <class B>
void register_from_a_younger_key(int unwinding_before) {
  attempts made;
  std::uint64_t serial = 0;
  const pthread_key_t high = younger_key<B>();
  key_task younger(rounds_to_try, [&](int round) { attempt<B>(made, round); });
  os_thread([&] {
    younger.arm(high);
    serial = current<B>().serial();
    finalize<B>([] {});
    for (int i = 0; i != unwinding_before; ++i) finalize<B>([] { pthread_exit(nullptr); });
  }).join();
  EXPECT_EQ(made.registered.size() + made.refused.size(), std::size_t{rounds_to_try});
  EXPECT_EQ(made.ran, made.registered);
  EXPECT_EQ(made.refused, std::vector<std::string>{"round " + std::to_string(rounds_to_try)});
  // 45: the same identity, or none; never a new one.
  for (std::size_t i = 0; i != made.serials.size(); ++i) {
    EXPECT_EQ(made.serials[i], i + 1 < made.serials.size() ? serial : 0U);
  }
}

TYPED_TEST(late, c043_from_a_younger_key_in_every_round) {
  register_from_a_younger_key<TypeParam>(0);
}

// The C library starts its rounds again after each; ThreadSanitizer counts them all together.
TYPED_TEST(late, c043_from_a_younger_key_after_many_called_pthread_exit) {
  register_from_a_younger_key<TypeParam>(detail::under_tsan ? 0 : rounds_to_try);
}

TYPED_TEST(late, c043_the_first_use_of_a_thread_is_in_an_older_keys_destructor) {
  bool ran = false;
  key_task older(1, [&ran](int /*round*/) { finalize<TypeParam>([&ran] { ran = true; }); });
  os_thread([&] { older.arm(older_key()); }).join();
  EXPECT_TRUE(ran);
}

TYPED_TEST(late, c043_the_first_use_of_a_thread_is_in_a_thread_locals_destructor) {
  struct tag {};
  bool ran = false;
  os_thread([&] {
    end_of_thread_local<TypeParam, tag>().work = [&ran] {
      finalize<TypeParam>([&ran] { ran = true; });
    };
  }).join();
  EXPECT_TRUE(ran);
}

// The keys of the back ends run one after the other, in rounds. What one back end registers with
// another runs in this round or in the next.
TYPED_TEST(late, c043_from_a_finalizer_of_another_back_end) {
  std::vector<std::string> ran;
  os_thread([&ran] {
    for_each_type(backends{}, []<class Other>() { static_cast<void>(current<Other>()); });
    finalize<TypeParam>([&ran] {
      for_each_type(backends{}, [&ran]<class Other>() {
        finalize<Other>([&ran] { ran.emplace_back(Other::info.name); });
      });
    });
  }).join();
  EXPECT_EQ(ran.size(), backends::size);
}

TYPED_TEST(late, c045_once_ended_a_thread_has_no_identity) {
  const pthread_key_t high = younger_key<TypeParam>();
  bool looked = false;
  key_task younger(rounds_to_try, [&](int round) {
    if (round != rounds_to_try) return;
    looked = true;
    EXPECT_FALSE(try_current<TypeParam>());
    EXPECT_FALSE(current<TypeParam>());
    EXPECT_FALSE(ensure<TypeParam>());
    EXPECT_THROW(finalize<TypeParam>([] {}), std::system_error);
    EXPECT_THROW(basic_ref<TypeParam>(), std::system_error);
  });
  os_thread([&] {
    younger.arm(high);
    finalize<TypeParam>([] {});
  }).join();
  EXPECT_TRUE(looked);
}

}  // namespace
}  // namespace threadref::conformance
