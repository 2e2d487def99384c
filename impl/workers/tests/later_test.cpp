// SPDX-License-Identifier: MIT
// Calls that a worker's loop is to make: each is made once, or never.
#include "workers/later.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "testing/scale.hpp"
#include "threadref/finalize.hpp"
#include "workers/tests/fixture.hpp"
#include "workers/this_worker.hpp"

namespace threadref::workers {
namespace {

using later_test = worker_test;
using namespace std::chrono_literals;

constexpr auto never = 1h;

worker_ptr listening() {
  worker_ptr made = worker::make();
  made->start();
  return made;
}

// Returns once the worker has handled all events before this one.
void reach(const worker_ptr& who) {
  std::promise<void> reached;
  ASSERT_TRUE(who->invoke([&] { reached.set_value(); }));
  reached.get_future().wait();
}

// Shows: PW-39.
TEST_F(later_test, is_called_in_the_loop_of_its_worker) {
  const worker_ptr by = listening();
  std::promise<worker_ptr> called;
  const pending_call call = later(by, [&] { called.set_value(this_worker::current()); });
  EXPECT_EQ(call.timer(), nullptr);
  EXPECT_EQ(called.get_future().get(), by);
  EXPECT_FALSE(call.pending());
  EXPECT_FALSE(call.cancel());
  by->stop().join();
}

// Shows: PW-39.
TEST_F(later_test, what_it_throws_is_reported_and_ends_nothing) {
  const worker_ptr by = listening();
  later(by, [] { throw std::runtime_error("planted"); });
  later(
      by, [] { throw std::runtime_error("planted"); }, 1ms);
  yield_until([this] { return reported.entries().size() == 2; });
  reach(by);
  EXPECT_TRUE(by->is_running());
  by->stop().join();
}

// Shows: PW-39.
TEST_F(later_test, cancelled_in_time_it_is_never_called) {
  std::latch begin(1);
  const worker_ptr by = worker::make([&] {
    begin.wait();
    this_worker::wait_forever();
  });
  by->start();
  bool called = false;
  auto held = std::make_shared<int>();
  const std::weak_ptr<int> function = held;
  const pending_call call = later(by, [&called, held = std::move(held)] { called = true; });
  EXPECT_TRUE(call.pending());
  EXPECT_TRUE(call.cancel());
  EXPECT_TRUE(function.expired()) << "not destroyed by cancel()";
  EXPECT_FALSE(call.cancel());
  begin.count_down();
  reach(by);
  by->stop().join();
  EXPECT_FALSE(called);
}

// Shows: PW-39.
TEST_F(later_test, a_delayed_one_comes_after_its_delay) {
  const worker_ptr by = listening();
  std::promise<worker_ptr> called;
  const auto asked = steady::now();
  const pending_call call = later(
      by, [&] { called.set_value(this_worker::current()); }, 20ms);
  ASSERT_NE(call.timer(), nullptr);
  EXPECT_TRUE(call.timer()->is_daemon());
  EXPECT_EQ(call.timer()->parent(), by);
  EXPECT_EQ(called.get_future().get(), by);
  EXPECT_GE(steady::now() - asked, 20ms);
  by->stop().join();
}

// Shows: PW-39.
TEST_F(later_test, a_cancelled_timer_runs_the_finalizers_of_its_thread) {
  const worker_ptr by = listening();
  bool called = false;
  int finalized = 0;
  const pending_call call = later(
      by, [&] { called = true; }, never);
  ASSERT_TRUE(call.timer()->invoke([&] { finalize([&] { ++finalized; }); }));
  EXPECT_TRUE(call.cancel());
  call.timer()->join();
  EXPECT_EQ(finalized, 1);
  by->stop().join();
  EXPECT_FALSE(called);
}

// Shows: PW-39.
TEST_F(later_test, stopping_its_timer_cancels_it) {
  const worker_ptr by = listening();
  auto held = std::make_shared<int>();
  const std::weak_ptr<int> function = held;
  const pending_call call = later(
      by, [held = std::move(held)] {}, never);
  call.timer()->stop().join();
  EXPECT_FALSE(call.pending());
  EXPECT_TRUE(function.expired());
  EXPECT_FALSE(call.cancel());
  by->stop().join();
}

// Shows: PW-39, PW-17.
TEST_F(later_test, a_timer_ends_with_its_worker) {
  const worker_ptr by = listening();
  const pending_call call = later(
      by, [] {}, never);
  by->stop().join();
  call.timer()->join();
  EXPECT_FALSE(call.pending());
}

// Shows: PW-39.
TEST_F(later_test, a_worker_that_does_not_run_drops_it) {
  const worker_ptr by = worker::make();
  bool called = false;
  EXPECT_FALSE(later(by, [&] { called = true; }).pending());
  by->start();
  reach(by);
  by->stop().join();
  EXPECT_FALSE(called);
  EXPECT_THROW(later(by, nullptr), std::invalid_argument);
}

// Shows: PW-39, PW-44.
TEST_F(later_test, of_the_current_worker) {
  std::vector<std::string> order;
  const worker_ptr by = worker::make([&] {
    this_worker::later([&] { order.emplace_back("at once"); });
    this_worker::later(
        [&] {
          order.emplace_back("delayed");
          this_worker::exit();
        },
        1ms);
    order.emplace_back("task");
    this_worker::wait_forever();
  });
  by->start().join();
  EXPECT_EQ(order, (std::vector<std::string>{"task", "at once", "delayed"}));
}

// Shows: PW-39.
TEST_F(later_test, it_is_either_called_or_cancelled) {
  const worker_ptr by = listening();
  int called = 0;  // by one worker only
  int cancelled = 0;
  const int calls = testing::scaled(200'000, 200);
  for (int i = 0; i != calls; ++i) {
    if (later(by, [&] { ++called; }).cancel()) ++cancelled;
  }
  by->stop().join();
  EXPECT_EQ(called + cancelled, calls);
}

}  // namespace
}  // namespace threadref::workers
