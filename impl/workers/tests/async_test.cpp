// SPDX-License-Identifier: MIT
// Functions on workers of their own, and the workers that wait for them.
#include "workers/async.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <any>
#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "threadref/finalize.hpp"
#include "workers/tests/fixture.hpp"
#include "workers/this_worker.hpp"

namespace threadref::workers {
namespace {

using async_test = worker_test;
using namespace std::chrono_literals;

int square(int of) {
  return of * of;
}

// Shows: PW-40.
TEST_F(async_test, the_result_can_be_had_again_and_again) {
  const async_call<int> call = async(square, 7);
  EXPECT_EQ(call.get(), 49);
  EXPECT_EQ(call.get(), 49);
  std::optional<int> elsewhere;
  std::thread([&] { elsewhere = call.get(); }).join();
  EXPECT_EQ(elsewhere, 49);
}

// Shows: PW-40.
TEST_F(async_test, results_of_any_kind) {
  EXPECT_TRUE(async([] {}).get());
  EXPECT_EQ(async([](const std::string& of) { return of + "!"; }, "text").get(), "text!");
  const std::optional<std::any> nothing = async([] { return std::any(); }).get();
  ASSERT_TRUE(nothing.has_value()) << "an empty any is a result too";
  EXPECT_FALSE(nothing->has_value());
  auto held = std::make_unique<int>(5);
  EXPECT_EQ(async([held = std::move(held)] { return *held; }).get(), 5);
}

// Shows: PW-40.
TEST_F(async_test, what_it_throws_is_thrown_at_each_get_and_told_nobody_else) {
  const auto call = async([]() -> int { throw std::out_of_range("planted"); });
  EXPECT_THROW(call.get(), std::out_of_range);
  EXPECT_THROW(call.get(), std::out_of_range);
  call.runner()->join();
  EXPECT_EQ(reported.entries(), lines{});
}

// Shows: PW-40, PW-13.
TEST_F(async_test, a_daemon_without_parent_that_outlives_its_creator) {
  std::optional<async_call<int>> call;
  std::latch ended(1);
  worker::make([&] {
    call = async([&] {
      ended.wait();
      return 1;
    });
  })
      ->start()
      .join();
  EXPECT_TRUE(call->runner()->is_daemon());
  EXPECT_EQ(call->runner()->parent(), nullptr);
  EXPECT_TRUE(call->is_running());
  ended.count_down();
  EXPECT_EQ(call->get(), 1);
}

// Shows: PW-40.
TEST_F(async_test, stopped_it_gives_nothing) {
  const auto call = async([] {
    this_worker::wait_forever();
    return 1;
  });
  call.stop();
  EXPECT_EQ(call.get(), std::nullopt);
  const auto none = async([] { this_worker::exit(); });
  EXPECT_FALSE(none.get());
}

// Shows: PW-40.
TEST_F(async_test, it_is_a_child_of_who_waits_and_stopped_with_it) {
  const auto call = async([] { this_worker::wait_forever(); });
  std::atomic<bool> went_on{false};
  std::atomic<bool> listed{false};
  const worker_ptr waiter = worker::make([&] {
    // Checked from inside the wait, since it is a child only then.
    const worker_ptr me = this_worker::current();
    me->invoke([&, me] {
      const std::vector<worker_ptr> children = me->children();
      listed = children == std::vector<worker_ptr>{call.runner()};
      me->stop();
    });
    call.get();
    went_on = true;
  });
  waiter->start().join();
  EXPECT_FALSE(went_on);
  EXPECT_TRUE(listed);
  call.runner()->join();  // hangs if it was not stopped
  EXPECT_FALSE(call.get());
}

// Shows: PW-40, PW-06.
TEST_F(async_test, it_is_stopped_also_if_who_waits_swallows_the_stop) {
  const auto call = async([] { this_worker::wait_forever(); });
  bool went_on = false;
  const worker_ptr waiter = worker::make([&] {
    try {
      call.get();
    } catch (const worker_exit&) {
      call.runner()->join();  // hangs if it goes on
      went_on = true;
    }
  });
  waiter->start().stop().join();
  EXPECT_TRUE(went_on);
}

// Shows: PW-40.
TEST_F(async_test, afterwards_it_is_nobodys_child) {
  std::latch leave(1);
  const auto call = async([&] { leave.wait(); });
  const worker_ptr waiter = worker::make([&] {
    EXPECT_FALSE(call.get_for(1ms)) << "it has not returned";
    EXPECT_TRUE(this_worker::current()->children().empty());
  });
  waiter->start().join();
  EXPECT_TRUE(call.is_running());
  leave.count_down();
  EXPECT_TRUE(call.get());
}

// Shows: PW-40.
TEST_F(async_test, the_result_is_there_before_the_finalizers_and_join_waits_for_them) {
  std::latch asked(1);
  std::atomic<bool> finalized{false};
  const auto call = async([&] {
    finalize([&] {
      asked.wait();
      finalized = true;
    });
    return 3;
  });
  EXPECT_EQ(call.get(), 3);  // hangs if it waited for the finalizer, which waits for us
  EXPECT_FALSE(finalized);
  asked.count_down();
  call.runner()->join();
  EXPECT_TRUE(finalized);
  EXPECT_EQ(call.get(), 3);
}

// Shows: PW-40.
TEST_F(async_test, it_can_not_wait_for_itself) {
  std::optional<async_call<int>> call;
  std::latch known(1);
  call = async([&] {
    known.wait();
    return call->get().value_or(0);
  });
  known.count_down();
  try {
    call->get();
    FAIL() << "it has waited for itself";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::resource_deadlock_would_occur);
  }
}

// Shows: PW-40.
TEST_F(async_test, a_descendant_that_waits_does_not_become_its_parent) {
  std::optional<async_call<int>> call;
  gate known;
  gate looked;
  worker_ptr parent;
  call = async([&] {
    known.wait();
    // The child handles this inside its wait, the only one that it has.
    const worker_ptr child = this_worker::create_worker([&] { call->get(); });
    child->invoke([&] {
      parent = call->runner()->parent();
      looked.open();
    });
    looked.wait();
    return 4;
  });
  known.open();
  looked.wait();
  EXPECT_EQ(parent, nullptr);
  EXPECT_EQ(call->get(), 4);
  call->runner()->join();
}

// Shows: PW-41.
TEST_F(async_test, await_keeps_listening) {
  int received = 0;
  std::optional<int> result;
  const worker_ptr waiter = worker::make([&] {
    const worker_ptr me = this_worker::current();
    std::latch listened(1);
    this_worker::listen("tick", [&](const event& /*e*/) {
      ++received;
      listened.count_down();
    });
    result = await(
        [&](int of) {
          me->fire("tick");
          listened.wait();  // hangs if the waiting worker does not handle it
          return square(of);
        },
        3);
  });
  waiter->start().join();
  EXPECT_EQ(received, 1);
  EXPECT_EQ(result, 9);
  EXPECT_THROW(await([] { throw std::out_of_range("planted"); }), std::out_of_range);
  EXPECT_EQ(this_worker::wait(async(square, 2)), 4);
}

// Shows: PW-40.
TEST_F(async_test, many_wait_for_one) {
  std::latch go(1);
  const auto call = async([&] {
    go.wait();
    return 11;
  });
  constexpr int waiters = 32;
  std::atomic<int> sum{0};
  std::vector<worker_ptr> all;
  for (int i = 0; i != waiters; ++i) {
    all.push_back(this_worker::create_worker([&] { sum += call.get().value_or(-1); }));
  }
  go.count_down();
  for (const worker_ptr& each : all) each->join();
  EXPECT_EQ(sum, waiters * 11);
}

}  // namespace
}  // namespace threadref::workers
