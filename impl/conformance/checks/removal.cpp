// SPDX-License-Identifier: MIT
// B, F and O. Other threads: what they can claim, and what waiting for a finalizer means.
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "conformance/harness/suite.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(taking);

// Shows: F-13.
TYPED_TEST(taking, c025_the_draining_thread_may_take_pending_siblings) {
  this->run([](auto& me) {
    const auto skipped = me.add();
    const auto called = me.add();
    const auto detached = me.add();
    const auto cancelled = me.add();
    me.add_and([&me, called, detached, cancelled, skipped] {
      EXPECT_TRUE(called.handle.alive());
      EXPECT_TRUE(called.handle.peek());
      me.called(called.id);
      EXPECT_TRUE(called.handle());
      EXPECT_FALSE(called.handle());
      me.removed(detached.id);
      EXPECT_TRUE(detached.handle.detach());
      me.removed(cancelled.id);
      EXPECT_TRUE(cancelled.handle.cancel());
      EXPECT_TRUE(skipped.handle.alive());
    });
  });
  EXPECT_EQ(this->delta().ran_by_call, 1U);
  EXPECT_EQ(this->delta().detached, 2U);
}

// Limbo: the finalizer is pending, but its thread is draining already.
// Shows: F-14.
// Differs: F-13: nor called by another thread: a drain is private, and so needs no atomic step for
// each.
TYPED_TEST(taking, c025_other_threads_get_nothing_once_the_thread_drains) {
  plain_finalizer<TypeParam> pending;
  gate draining;
  gate looked;
  bool ran = false;
  os_thread t([&] {
    pending = finalize<TypeParam>([&ran] { ran = true; });
    finalize<TypeParam>([&] {
      draining.open();
      looked.wait();
    });
  });
  draining.wait();
  EXPECT_TRUE(pending.alive());
  EXPECT_FALSE(pending.peek());
  EXPECT_FALSE(pending.detach());
  EXPECT_FALSE(pending.cancel());
  EXPECT_FALSE(pending());
  EXPECT_TRUE(pending.alive());
  os_thread waiter([&] {
    pending.wait();
    EXPECT_TRUE(ran);
    EXPECT_EQ(pending.state(), finalizer_state::gone);
  });
  looked.open();
  waiter.join();
  t.join();
}

// Shows: F-19, F-32.
TYPED_TEST(taking, c026_a_call_from_another_thread_runs_there) {
  lane_on<TypeParam>& me = this->new_lane();
  pid_t ran_on = 0;
  typename lane_on<TypeParam>::entry target;
  gate made;
  gate called;
  os_thread t([&] {
    me.open();
    me.add();
    target = me.add_and([&ran_on] { ran_on = gettid(); });
    me.add();
    made.open();
    called.wait();
  });
  made.wait();
  EXPECT_TRUE(target.handle.peek());
  me.called(target.id);
  EXPECT_TRUE(target.handle());
  EXPECT_EQ(ran_on, gettid());
  called.open();
  t.join();
  me.close();
  EXPECT_EQ(me.order(), (std::vector<int>{2, 0}));
}

// The forced unwind of the caller passes through the library.
TYPED_TEST(taking, c026_a_caller_may_be_cancelled_in_the_middle_of_its_call) {
  auto held = std::make_shared<int>(0);
  plain_finalizer<TypeParam> f;
  gate made;
  gate running;
  gate gone;
  os_thread owner([&] {
    f = finalize<TypeParam>([&running, held] {
      running.open();
      for (;;) {
        pthread_testcancel();
        sched_yield();
      }
    });
    made.open();
    gone.wait();
  });
  made.wait();
  os_thread caller([&f] { f(); });
  running.wait();
  EXPECT_EQ(f.state(), finalizer_state::running);
  caller.cancel();
  EXPECT_EQ(caller.join(), PTHREAD_CANCELED);
  EXPECT_EQ(f.state(), finalizer_state::gone);
  EXPECT_EQ(held.use_count(), 1);
  f.wait();
  gone.open();
  owner.join();
  EXPECT_EQ(this->delta().ran_by_call, 1U);
}

// Calls look(all) on one thread, again and again, while another registers `all`, cancels them and
// checks that all of them are gone.
enum class looks_at { handles, closures };
template <class B, class Look>
void look_at_removals(int rounds, looks_at what, Look look) {
  std::array<plain_finalizer<B>, 64> all;
  std::mutex handles;  // the owner writes them; both threads read them
  std::atomic<int> looks{0};
  std::atomic<bool> over{false};
  os_thread owner([&] {
    for (int n = 0; n != rounds && !::testing::Test::HasFailure(); ++n) {
      {
        const std::lock_guard lock(handles);
        for (auto& f : all) f = finalize<B>([] { ADD_FAILURE(); });
      }
      for (const int before = looks; looks == before;) sched_yield();
      for (auto& f : all) EXPECT_TRUE(f.cancel());
      for (auto& f : all) EXPECT_FALSE(f.alive());
    }
    over = true;
  });
  while (!over) {
    sched_yield();
    std::unique_lock lock(handles, std::defer_lock);
    if (what == looks_at::handles) lock.lock();
    ++looks;
    look(all);
  }
}

TYPED_TEST(taking, c020_what_is_taken_stays_so_whoever_sets_its_flag) {
  look_at_removals<TypeParam>(scaled(8'000, 400), looks_at::handles, [](auto& all) {
    for (auto& f : all) f.atexit(!f.atexit());
  });
}

// detach_all() pins each closure for a moment while it looks at it; none has code of the C library,
// where stdout is. (No more rounds: where slots are used once, each look visits all there ever
// were.)
TYPED_TEST(taking, c093_what_detach_all_looks_at_is_its_threads_still) {
  look_at_removals<TypeParam>(200, looks_at::closures,
                              [](auto&) { EXPECT_EQ(detach_all<TypeParam>(stdout), 0U); });
}

// Places that another thread emptied come back while their thread uses more, of either kind.
TYPED_TEST(taking, c064_places_come_home_while_more_are_taken) {
  constexpr std::size_t batch = 500;
  std::array<std::vector<plain_finalizer<TypeParam>>, 2> turns;
  for (auto& turn : turns) turn.resize(batch);
  std::atomic<int> ran{0};
  std::atomic<int> filled{0};
  std::atomic<int> emptied{0};
  const int rounds = scaled(2'000, 50);
  os_thread other([&] {
    for (; emptied != rounds; ++emptied) {
      while (filled == emptied) sched_yield();
      for (auto& f : turns[static_cast<std::size_t>(emptied % 2)]) EXPECT_TRUE(f.cancel());
    }
  });
  this->run([&](auto&) {
    for (; filled != rounds; ++filled) {
      while (filled - emptied == 2) sched_yield();
      exit_phase phase = exit_phase::last;
      for (auto& f : turns[static_cast<std::size_t>(filled % 2)]) {
        f = finalize_in<TypeParam>(phase, [&ran] { ++ran; });
        phase = phase == exit_phase::last ? exit_phase::very_last : exit_phase::last;
      }
    }
    while (emptied != rounds) sched_yield();
  });
  EXPECT_EQ(ran, 0);
}

TYPED_TEST(taking, c027_wait_returns_when_the_run_has_ended) {
  plain_finalizer<TypeParam> f;
  gate running;
  gate go_on;
  int written = 0;
  os_thread t([&] {
    f = finalize<TypeParam>([&] {
      running.open();
      go_on.wait();
      written = 1;
    });
  });
  running.wait();
  EXPECT_EQ(f.state(), finalizer_state::running);
  std::atomic<bool> returned{false};
  os_thread waiter([&] {
    f.wait();
    returned = true;
    EXPECT_EQ(written, 1);  // plain memory: what the run wrote is visible
  });
  EXPECT_FALSE(returned);
  go_on.open();
  waiter.join();
  f.wait();  // gone: returns at once
  t.join();
  f.wait();
  plain_finalizer<TypeParam>().wait();
}

TYPED_TEST(taking, c027_wait_for_oneself_is_an_error) {
  const auto deadlock = [](const auto& f) {
    try {
      f.wait();
    } catch (const std::system_error& e) {
      return e.code() == std::errc::resource_deadlock_would_occur;
    }
    return false;
  };
  bool ran = false;
  os_thread([&] {
    plain_finalizer<TypeParam> sibling;
    sibling = finalize<TypeParam>([] {});
    EXPECT_TRUE(deadlock(sibling));
    plain_finalizer<TypeParam> f;
    f = finalize<TypeParam>([&ran, &deadlock, sibling, mine = std::make_unique<int>(0)] {
      EXPECT_TRUE(deadlock(sibling));
      ran = true;
    });
    EXPECT_TRUE(deadlock(f));
  }).join();
  EXPECT_TRUE(ran);
}

TYPED_TEST(taking, c027_wait_inside_its_own_run_on_another_thread_is_an_error) {
  plain_finalizer<TypeParam> f;
  gate made;
  gate called;
  bool refused = false;
  os_thread t([&] {
    f = finalize<TypeParam>([&] {
      try {
        f.wait();
      } catch (const std::system_error& e) {
        refused = e.code() == std::errc::resource_deadlock_would_occur;
      }
    });
    made.open();
    called.wait();
  });
  made.wait();
  EXPECT_TRUE(f());
  EXPECT_TRUE(refused);
  called.open();
  t.join();
}

TYPED_TEST(taking, c056_a_running_finalizer_is_not_to_be_had) {
  plain_finalizer<TypeParam> f;
  gate running;
  gate looked;
  os_thread t([&] {
    f = finalize<TypeParam>([&] {
      running.open();
      looked.wait();
    });
  });
  running.wait();
  EXPECT_EQ(f.state(), finalizer_state::running);
  EXPECT_FALSE(f.alive());
  EXPECT_FALSE(f.peek());
  EXPECT_FALSE(f.detach());
  EXPECT_FALSE(f.cancel());
  EXPECT_FALSE(f());
  looked.open();
  t.join();
  EXPECT_EQ(f.state(), finalizer_state::gone);
}

// A caller keeps the closure in place although the finalizer's thread ends during the call and 10
// 000 other threads come after it.
TYPED_TEST(taking, c121_a_call_in_time_runs_the_right_closure_once) {
  finalizer<int, TypeParam> f;
  gate made;
  gate running;
  gate replaced;
  int own_runs = 0;
  os_thread owner([&] {
    f = finalize<TypeParam>([&, secret = 121] {
      running.open();
      replaced.wait();
      ++own_runs;
      return secret;
    });
    made.open();
    running.wait();
  });
  made.wait();
  os_thread caller([&] { EXPECT_EQ(f(), std::optional<int>(121)); });
  owner.join();
  EXPECT_EQ(f.state(), finalizer_state::running);
  int others = 0;
  const int successors = scaled(10'000);
  for (int i = 0; i != successors; ++i) {
    os_thread([&others] { finalize<TypeParam>([&others] { ++others; }); }).join();
  }
  replaced.open();
  caller.join();
  EXPECT_EQ(own_runs, 1);
  EXPECT_EQ(others, successors);
  EXPECT_EQ(this->delta().ran_by_call, 1U);
}

// Four threads wait for finalizers that are armed, running or gone by then.
TYPED_TEST(taking, c122_no_wake_up_is_lost) {
  constexpr int per_round = 16;
  for (int round = 0; round != scaled(10'000); ++round) {
    std::vector<plain_finalizer<TypeParam>> all;
    gate made;
    std::atomic<int> ran{0};
    os_thread owner([&] {
      for (int i = 0; i != per_round; ++i) {
        all.push_back(finalize<TypeParam>([&ran, slow = round % 2 == 0] {
          ++ran;
          if (slow) sched_yield();
        }));
      }
      made.open();
    });
    made.wait();
    std::deque<os_thread> waiters;
    for (int w = 0; w != 4; ++w) {
      waiters.emplace_back([&all, w] {
        // Oldest first and newest first: armed for long, or gone at once.
        for (int i = 0; i != per_round; ++i) {
          all[static_cast<std::size_t>(w % 2 == 0 ? i : per_round - 1 - i)].wait();
        }
      });
    }
    for (os_thread& w : waiters) w.join();
    EXPECT_EQ(ran.load(), per_round);
    if (::testing::Test::HasFailure()) break;
  }
}

// Waiting is a cancellation point, as for a condition variable. Only the waiter ends.
TYPED_TEST(taking, c122_a_waiter_may_be_cancelled) {
  plain_finalizer<TypeParam> f;
  gate made;
  gate cancelled;
  os_thread owner([&] {
    f = finalize<TypeParam>([] {});
    made.open();
    cancelled.wait();
  });
  made.wait();
  std::atomic<bool> came{false};
  os_thread waiter([&] {
    came = true;
    f.wait();
    ADD_FAILURE() << "it is not gone yet";
  });
  EXPECT_TRUE(yield_until([&] { return came.load(); }));
  waiter.cancel();
  EXPECT_EQ(waiter.join(), PTHREAD_CANCELED);
  cancelled.open();
  owner.join();
  EXPECT_EQ(f.state(), finalizer_state::gone);
}

}  // namespace
}  // namespace threadref::conformance
