// SPDX-License-Identifier: MIT
// G. A thread that ends without the C library: by the system call, or killed by a sandbox. No exit
// hook runs. It is dead for everybody, what it left is abandoned once, and the next thread on its
// stack has nothing of it, although glibc leaves that one the values of its keys.
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <system_error>

#include "conformance/harness/affinity.hpp"
#include "conformance/harness/incidents.hpp"
#include "conformance/harness/suite.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(unheard);

[[noreturn]] void vanish() {
  syscall(SYS_exit, 0);
  std::abort();
}

// No other thread here has as large a stack, so such threads get the same, one after the other.
constexpr std::size_t one_stack = std::size_t{9} << 20U;
// A thread that vanishes after its body.
os_thread vanishing(std::function<void()> body) {
  return os_thread(
      [run = std::move(body)] {
        run();
        vanish();
      },
      one_stack);
}
pthread_t run_and_vanish(std::function<void()> body) {
  os_thread t = vanishing(std::move(body));
  t.join();
  return t.native();
}
// Runs the body on the next thread on that stack.
void run_successor(pthread_t vanished, std::function<void()> body) {
  os_thread t(std::move(body), one_stack);
  EXPECT_TRUE(pthread_equal(t.native(), vanished) != 0) << "it got another stack";
  t.join();
}

void expect_one_report(const captured_incidents& incidents, std::uint64_t of) {
  const std::vector<reported_incident> all = incidents.all();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].kind, incident::missed);
  EXPECT_EQ(all[0].serial, of);
}

// Who only looks gets no report; who waits or enumerates does.
TYPED_TEST(unheard, c131_it_is_dead_after_the_join) {
  const captured_incidents incidents;
  std::optional<basic_ref<TypeParam>> r;
  plain_finalizer<TypeParam> f;
  thread_handle held;
  run_and_vanish([&] {
    f = finalize<TypeParam>([] {});
    r.emplace();
    held = current<TypeParam>();
  });
  EXPECT_TRUE(r->expired());
  EXPECT_FALSE((*r)());
  EXPECT_EQ(held.state(), thread_state::ended);
  EXPECT_EQ(held.name(), "");
  EXPECT_FALSE(f.alive());
  EXPECT_FALSE(f.peek());
  EXPECT_FALSE(f.detach());
  EXPECT_FALSE(f.cancel());
  EXPECT_FALSE(f());
  EXPECT_TRUE(incidents.all().empty());
  f.wait();
  EXPECT_EQ(survivors<TypeParam>(), "");
  expect_one_report(incidents, held.serial());
  EXPECT_EQ(this->delta().abandoned, 1U);
}

TYPED_TEST(unheard, c131_enumerate_ends_it) {
  const captured_incidents incidents;
  std::uint64_t serial = 0;
  run_and_vanish([&serial] {
    serial = current<TypeParam>().serial();
    for (int i = 0; i != 3; ++i) finalize<TypeParam>([] {});
  });
  EXPECT_EQ(survivors<TypeParam>(), "");
  EXPECT_EQ(survivors<TypeParam>(), "");
  expect_one_report(incidents, serial);
  EXPECT_EQ(this->delta().abandoned, 3U);
}

TYPED_TEST(unheard, c131_a_wait_that_began_before_returns) {
  const captured_incidents incidents;
  gate registered;
  gate waits;
  plain_finalizer<TypeParam> f;
  os_thread t = vanishing([&] {
    f = finalize<TypeParam>([] {});
    registered.open();
    waits.wait();
  });
  registered.wait();
  os_thread waiter([&] {
    waits.open();
    f.wait();
  });
  waiter.join();
  EXPECT_EQ(this->delta().abandoned, 1U);
}

// A handle keeps the record, so only the registration itself can say that it is over.
TYPED_TEST(unheard, c131_what_it_was_running_is_over) {
  const captured_incidents incidents;
  plain_finalizer<TypeParam> running;
  thread_handle held;
  run_and_vanish([&] {
    held = current<TypeParam>();
    running = finalize<TypeParam>([] { vanish(); });
    running();
  });
  EXPECT_EQ(running.state(), finalizer_state::gone);
  running.wait();
  EXPECT_EQ(running.state(), finalizer_state::gone);
}

TYPED_TEST(unheard, c131_what_another_thread_was_running_goes_on) {
  gate made;
  gate runs;
  gate may_return;
  finalizer<int, TypeParam> f;
  os_thread t = vanishing([&] {
    f = finalize<TypeParam>([&runs, &may_return, result = 131] {
      runs.open();
      may_return.wait();
      return result;
    });
    made.open();
    runs.wait();
  });
  made.wait();
  std::optional<int> result;
  os_thread caller([&] { result = f(); });
  t.join();
  EXPECT_EQ(survivors<TypeParam>(), "");
  EXPECT_EQ(f.state(), finalizer_state::running);
  os_thread waiter([&] { f.wait(); });
  may_return.open();
  caller.join();
  waiter.join();
  EXPECT_EQ(result, std::optional<int>(131));
  EXPECT_EQ(this->delta().abandoned, 0U);
}

TYPED_TEST(unheard, c131_detach_all_does_not_wait_for_it) {
  const captured_incidents incidents;
  gate draining;
  gate looks;
  os_thread t(
      [&] {
        finalize<TypeParam>([&] {
          draining.open();
          looks.wait();
          vanish();
        });
      },
      one_stack);
  draining.wait();
  os_thread looker([&looks] {
    looks.open();
    detach_all<TypeParam>(reinterpret_cast<const void*>(&vanish));
  });
  looker.join();
}

TYPED_TEST(unheard, c131_the_next_thread_on_its_stack_does_not_run_its_callbacks) {
  const captured_incidents incidents;
  int ran = 0;
  std::uint64_t serial = 0;
  const pthread_t vanished = run_and_vanish([&] {
    serial = current<TypeParam>().serial();
    for (int i = 0; i != 3; ++i) finalize<TypeParam>([&ran] { ++ran; });
  });
  run_successor(vanished, [] {});
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(survivors<TypeParam>(), "");
  expect_one_report(incidents, serial);
  EXPECT_EQ(this->delta().abandoned, 3U);
}

// All back ends have a key, also beside their own hook.
TYPED_TEST(unheard, c131_the_next_thread_on_its_stack_reports_it) {
  const captured_incidents incidents;
  std::uint64_t serial = 0;
  const pthread_t vanished = run_and_vanish([&serial] {
    serial = current<TypeParam>().serial();
    finalize<TypeParam>([] {});
  });
  run_successor(vanished, [] {});
  expect_one_report(incidents, serial);
}

TYPED_TEST(unheard, c131_the_next_thread_on_its_stack_has_an_identity_of_its_own) {
  const captured_incidents incidents;
  int wrong = 0;
  std::uint64_t serial = 0;
  const pthread_t vanished = run_and_vanish([&] {
    serial = current<TypeParam>().serial();
    finalize<TypeParam>([&wrong] { ++wrong; });
  });
  lane_on<TypeParam>& mine = this->new_lane();
  run_successor(vanished, [&] {
    EXPECT_FALSE(try_current<TypeParam>());
    EXPECT_NE(current<TypeParam>().serial(), serial);
    mine.open();
    mine.add();
    mine.add_ref();
  });
  mine.close();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(survivors<TypeParam>(), "");
  expect_one_report(incidents, serial);
}

// Its record may be that of a living thread by then.
TYPED_TEST(unheard, c131_the_next_thread_on_its_stack_leaves_strangers_alone) {
  const captured_incidents incidents;
  // What is left on a CPU is reused there first.
  const cpu_set_t allowed = affinity();
  stay_on(static_cast<std::size_t>(sched_getcpu()));
  const detail::block* record = nullptr;
  const pthread_t vanished = run_and_vanish([&record] {
    finalize<TypeParam>([] {});
    record = TypeParam::list::own();
  });
  EXPECT_EQ(survivors<TypeParam>(), "");
  gate registered;
  gate over;
  lane_on<TypeParam>& theirs = this->new_lane();
  const detail::block* given_to = nullptr;
  os_thread stranger([&] {
    theirs.open();
    theirs.add();
    given_to = TypeParam::list::own();
    registered.open();
    over.wait();
  });
  registered.wait();
  EXPECT_EQ(given_to, record);
  run_successor(vanished, [] {});
  EXPECT_EQ(this->delta().ran_at_exit, 0U);
  over.open();
  stranger.join();
  theirs.close();
  EXPECT_EQ(this->delta().ran_at_exit, 1U);
  THREADREF_CHECK_ERRNO(sched_setaffinity(0, sizeof allowed, &allowed) == 0, "sched_setaffinity");
}

}  // namespace
}  // namespace threadref::conformance
