// SPDX-License-Identifier: MIT
#include "workers/timer.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <string>
#include <thread>

#include "threadref/threadref.hpp"

namespace threadref::workers {

namespace {

using namespace std::chrono_literals;

// Which functions a timer's thread has run.
struct counts {
  std::atomic<int> functions{0};
  std::atomic<int> finalizers{0};
  timer::options options() {
    return {.on_start = [this] { finalize([this] { ++finalizers; }); }};
  }
  std::function<void()> function() {
    return [this] { ++functions; };
  }
};

// Shows: PM-10.
TEST(timer, calls_its_function_after_the_delay_on_a_thread_of_its_own) {
  counts c;
  std::string name;
  const auto began = timer::clock::now();
  timer::clock::time_point called;
  timer t(20ms,
          [&] {
            called = timer::clock::now();
            name = this_thread_name();
            ++c.functions;
          },
          {.name = "alarm", .on_start = c.options().on_start});
  t.join();
  EXPECT_GE(called - began, 20ms);
  EXPECT_EQ(name, "alarm");
  EXPECT_TRUE(t.fired());
  EXPECT_EQ(c.functions, 1);
  EXPECT_EQ(c.finalizers, 1);
}

// Shows: PM-10.
TEST(timer, keeps_its_owner_until_it_has_fired) {
  counts c;
  { const timer t(20ms, c.function(), c.options()); }
  EXPECT_EQ(c.functions, 1);
  EXPECT_EQ(c.finalizers, 1);
}

// Shows: PM-11.
TEST(timer, cancelled_in_time_never_calls_and_its_thread_ends_at_once) {
  counts c;
  timer t(24h, c.function(), c.options());
  EXPECT_TRUE(t.cancel());
  EXPECT_FALSE(t.cancel());
  t.join();
  EXPECT_FALSE(t.fired());
  EXPECT_EQ(c.functions, 0);
  EXPECT_EQ(c.finalizers, 1);
}

// Shows: PM-11.
TEST(timer, is_woken_by_its_cancellation) {
  for (int i = 0; i != 100; ++i) {
    std::latch begun(1);
    timer t(24h, [] {}, {.on_start = [&] { begun.count_down(); }});
    begun.wait();
    // From immediately to long after the thread has begun to wait.
    const auto until = timer::clock::now() + std::chrono::microseconds(10 * i);
    while (timer::clock::now() < until) std::this_thread::yield();
    EXPECT_TRUE(t.cancel());
  }
}

// Shows: PM-11.
TEST(timer, can_not_be_cancelled_once_it_fires) {
  std::latch inside(1);
  std::latch asked(1);
  timer t(0s, [&] {
    inside.count_down();
    asked.wait();
  });
  inside.wait();
  EXPECT_FALSE(t.cancel());
  asked.count_down();
  t.join();
  EXPECT_FALSE(t.cancel());
  EXPECT_TRUE(t.fired());
}

// Shows: PM-11.
TEST(timer, does_what_cancel_says_also_when_both_come_at_once) {
  for (int i = 0; i != 200; ++i) {
    counts c;
    timer t(std::chrono::microseconds(i), c.function(), c.options());
    const bool in_time = t.cancel();
    t.join();
    ASSERT_EQ(c.functions, in_time ? 0 : 1);
    ASSERT_EQ(c.finalizers, 1);
  }
}

}  // namespace

}  // namespace threadref::workers
