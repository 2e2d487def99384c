// SPDX-License-Identifier: MIT
// A value that is provided once, by an owner that may end without doing so.
#include "workers/defer.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "testing/scale.hpp"
#include "threadref/finalize.hpp"
#include "workers/tests/fixture.hpp"
#include "workers/this_worker.hpp"

namespace threadref::workers {
namespace {

using defer_test = worker_test;
using namespace std::chrono_literals;

std::exception_ptr planted() {
  return std::make_exception_ptr(std::out_of_range("planted"));
}

// Shows: PW-42.
TEST_F(defer_test, the_first_one_counts) {
  const defer<int> given;
  EXPECT_FALSE(given.settled());
  EXPECT_TRUE(given.resolve(1));
  EXPECT_FALSE(given.resolve(2));
  EXPECT_FALSE(given.reject(planted()));
  EXPECT_TRUE(given.settled());
  EXPECT_EQ(given.get(), 1);
  EXPECT_EQ(given.get(), 1);
  const defer<int> refused;
  EXPECT_TRUE(refused.reject(planted()));
  EXPECT_FALSE(refused.resolve(2));
  EXPECT_THROW(refused.get(), std::out_of_range);
  EXPECT_THROW(refused.get_for(1ms), std::out_of_range);
}

// Shows: PW-42, PW-45.
TEST_F(defer_test, many_wait_for_it) {
  const defer<std::string> at;
  constexpr int waiters = 32;
  std::latch waiting(std::ptrdiff_t{2} * waiters);
  std::atomic<int> right{0};
  const auto wait = [&] {
    waiting.count_down();
    if (at.get() == "value") ++right;
  };
  std::vector<worker_ptr> workers;
  std::vector<std::thread> threads;  // each of which has a root until it ends
  for (int i = 0; i != waiters; ++i) {
    workers.push_back(this_worker::create_worker(wait));
    threads.emplace_back(wait);
  }
  waiting.wait();
  EXPECT_TRUE(at.resolve("value"));
  for (const worker_ptr& each : workers) each->join();
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(right, 2 * waiters);
}

// Shows: PW-42.
TEST_F(defer_test, get_runs_the_loop) {
  const defer<int> at;
  int received = 0;
  int got = 0;
  const worker_ptr waiter = worker::make([&] {
    this_worker::listen("tick", [&](const event& /*e*/) {
      ++received;
      // A nested wait for the same defer: the event that wakes it must also wake the outer wait.
      if (received == 2) {
        EXPECT_EQ(at.get(), 5);
      }
    });
    got = at.get();
  });
  waiter->start();
  waiter->fire("tick").fire("tick");
  waiter->invoke([&] { at.resolve(5); });
  waiter->join();
  EXPECT_EQ(received, 2);
  EXPECT_EQ(got, 5);
}

// Shows: PW-42.
TEST_F(defer_test, a_wait_can_be_stopped_or_end_without_it) {
  const defer<int> at;
  std::atomic<bool> went_on{false};
  worker_ptr waiter = worker::make([&] {
    EXPECT_EQ(at.get_for(1ms), std::nullopt);
    at.get();
    went_on = true;
  });
  const std::weak_ptr<worker> watched = waiter;
  waiter->start().stop().join();
  EXPECT_FALSE(went_on);
  waiter.reset();
  EXPECT_TRUE(watched.expired()) << "a waiter that has ended is still kept alive";
  EXPECT_TRUE(at.resolve(1));
}

// Shows: PW-42.
TEST_F(defer_test, it_breaks_when_its_owner_dies) {
  const defer<int> at;
  bool was_settled = true;
  bool is_settled = false;
  const worker_ptr owner = worker::make([&] {
    finalize([&] { is_settled = at.settled(); });  // older, so it runs after the ref's callback
    at.own();
    finalize([&] { was_settled = at.settled(); });
  });
  owner->start();
  EXPECT_THROW(at.get(), broken_defer);
  owner->join();
  EXPECT_FALSE(was_settled);
  EXPECT_TRUE(is_settled);
  EXPECT_FALSE(at.resolve(1));
}

// Shows: PW-42, PW-14.
TEST_F(defer_test, it_breaks_however_its_owner_ends) {
  const std::vector<std::function<void()>> ends = {
      [] {}, [] { throw std::runtime_error("planted"); }, [] { this_worker::exit(); },
      [] {
        this_worker::current()->stop();
        this_worker::wait_forever();
      }};
  for (const std::function<void()>& end : ends) {
    const defer<int> at;
    const worker_ptr owner = this_worker::create_worker([&] {
      at.own();
      end();
    });
    EXPECT_THROW(at.get(), broken_defer);
    owner->join();
  }
  const defer<int> at;
  std::thread native([&] { at.own(); });
  EXPECT_THROW(at.get(), broken_defer);
  native.join();
}

// Shows: PW-42.
TEST_F(defer_test, an_owner_that_has_done_its_part_may_die) {
  const defer<int> at;
  std::thread([&] {
    at.own();
    EXPECT_TRUE(at.resolve(6));
  }).join();
  EXPECT_EQ(at.get(), 6);
  const auto dropped = stats().dropped;
  at.own();  // too late to matter
  EXPECT_EQ(stats().dropped, dropped + 1) << "it left something in the exit list";
  const defer<int> mine;
  mine.own();
  mine.resolve(7);
  EXPECT_EQ(stats().dropped, dropped + 2);
}

// Shows: PW-42.
TEST_F(defer_test, another_owner_takes_it_over) {
  const defer<int> at;
  std::latch taken_over(1);
  std::latch owned(1);
  std::latch leave(1);
  std::thread first([&] {
    at.own();
    owned.count_down();
    taken_over.wait();
  });
  std::thread second([&] {
    owned.wait();
    at.own();
    taken_over.count_down();
    leave.wait();
  });
  first.join();
  EXPECT_FALSE(at.settled());
  leave.count_down();
  second.join();
  EXPECT_THROW(at.get(), broken_defer);
}

// Shows: PW-42.
TEST_F(defer_test, who_takes_it_over_from_a_dying_owner_has_it) {
  const int rounds = testing::scaled(100'000, 100);
  for (int i = 0; i != rounds; ++i) {
    const defer<int> at;
    std::latch owned(1);
    std::thread first([&] {
      at.own();
      owned.count_down();
    });
    owned.wait();
    at.own();
    const bool too_late = at.settled();
    first.join();
    ASSERT_EQ(at.settled(), too_late) << "broken by a thread that no longer owned it";
    at.resolve(1);
  }
}

// Shows: PW-42.
TEST_F(defer_test, nobody_has_to_keep_it_for_its_owner) {
  auto value = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = value;
  std::latch dropped(1);
  std::latch owned(1);
  auto at = std::make_unique<defer<std::shared_ptr<int>>>();
  std::thread owner([&] {
    at->own();
    owned.count_down();
    dropped.wait();
  });
  owned.wait();
  EXPECT_TRUE(at->resolve(std::move(value)));
  at.reset();
  EXPECT_TRUE(watched.expired());
  dropped.count_down();
  owner.join();
}

// Shows: PW-42.
TEST_F(defer_test, one_of_many_wins_also_against_a_dying_owner) {
  const int rounds = testing::scaled(20'000, 100);
  int broken = 0;
  for (int i = 0; i != rounds; ++i) {
    const defer<int> at;
    std::latch owned(1);
    std::atomic<int> winners{0};
    std::thread owner([&] {
      at.own();
      owned.count_down();
    });
    std::thread giver([&] {
      owned.wait();
      winners += at.resolve(1) ? 1 : 0;
    });
    int got = 0;
    try {
      got = at.get();
    } catch (const broken_defer&) {
      ++broken;
    }
    owner.join();
    giver.join();
    ASSERT_EQ(got, winners) << "round " << i;
  }
  RecordProperty("broken", broken);
}

}  // namespace
}  // namespace threadref::workers
