// SPDX-License-Identifier: MIT
// The ways to wait.
#include <chrono>
#include <limits>

#include "workers/tests/fixture.hpp"

namespace threadref::workers {
namespace {

using namespace std::chrono_literals;
using loop_test = worker_test;

// Shows: PW-32.
TEST_F(loop_test, listeners_are_called_before_the_wait_returns) {
  const worker_ptr w = worker::make([this] {
    this_worker::listen("e", note());
    this_worker::wait_event("e");
    seen.add("waited");
  });
  w->start().fire("e").join();
  EXPECT_EQ(seen.entries(), (lines{"e", "waited"}));
}

// Shows: PW-33.
TEST_F(loop_test, update_handles_what_is_there_and_is_a_stop_point) {
  gate sent;
  const worker_ptr w = worker::make([&] {
    this_worker::listen("e", note());
    sent.wait();
    seen.add("before");
    this_worker::update();
    ADD_FAILURE() << "not stopped";
  });
  w->start().fire("e").fire("e").stop();
  sent.open();
  w->join();
  EXPECT_EQ(seen.entries(), (lines{"before", "e", "e"}));
}

// Shows: PW-34.
// Differs: PW-34: kept as it is; to look at the queue without waiting, call update().
TEST_F(loop_test, a_wait_of_no_time_does_not_look) {
  gate sent;
  const worker_ptr w = worker::make([&] {
    this_worker::listen("e", note());
    sent.wait();
    this_worker::wait_timeout(0s);
    this_worker::sleep(0s);
    EXPECT_FALSE(this_worker::wait_event("e", 0s).has_value());
    seen.add("not looked");
    this_worker::sleep(1ms);
    ADD_FAILURE() << "not stopped";
  });
  w->start().fire("e").stop();
  sent.open();
  w->join();
  EXPECT_EQ(seen.entries(), (lines{"not looked", "e"}));
}

// Shows: PW-34.
TEST_F(loop_test, a_timed_wait_lasts_as_long_and_handles_events) {
  const worker_ptr w = worker::make([this] {
    this_worker::listen("e", note());
    const auto before = std::chrono::steady_clock::now();
    this_worker::sleep(5ms);
    return std::chrono::steady_clock::now() - before >= 5ms;
  });
  w->start().fire("e").join();
  EXPECT_TRUE(as<bool>(w->result()));
  EXPECT_EQ(seen.entries(), lines{"e"});
}

// Shows: PW-36.
TEST_F(loop_test, wait_event_gives_the_data_of_that_name_and_target_or_nothing) {
  const worker_ptr a = worker::make();
  const worker_ptr w = worker::make([&a] {
    const int first = as<int>(*this_worker::wait_event("e"));
    const int of_a = as<int>(*this_worker::wait_event("e", 1h, a));
    EXPECT_FALSE(this_worker::wait_event("never", 1ms).has_value());
    EXPECT_TRUE(this_worker::wait_event("f", steady::duration::max()).has_value());
    return first * 10 + of_a;
  });
  w->start().fire("other", 0).fire("e", 1).fire("e", 2);
  w->fire({.name = "e", .data = 3, .target = a});
  yield_until([] { return true; });
  w->fire("g");
  while (w->is_running()) w->fire("f");
  w->join();
  EXPECT_EQ(as<int>(w->result()), 13);
}

// Shows: PW-37.
TEST_F(loop_test, wait_until_asks_about_each_event) {
  const worker_ptr w = worker::make([] {
    const auto big = [](const event& e) { return e.data.has_value() && as<int>(e.data) > 2; };
    const auto found = this_worker::wait_until(big);
    EXPECT_FALSE(this_worker::wait_until(big, 1ms).has_value());
    return found->name;
  });
  w->start().fire("none").fire("small", 1).fire("big", 3).join();
  EXPECT_EQ(as<std::string>(w->result()), "big");
}

// Shows: PW-38.
TEST_F(loop_test, wait_takes_a_name_a_worker_a_condition_or_a_time) {
  const worker_ptr done = worker::make([] { return 38; });
  done->start();
  const worker_ptr w = worker::make([&done] {
    EXPECT_EQ(as<int>(*this_worker::wait("a")), 1);
    EXPECT_EQ(this_worker::wait([](const event& e) { return e.name == "b"; })->name, "b");
    EXPECT_EQ(as<int>(this_worker::wait(done)->result), 38);
    this_worker::wait(1ms);
    this_worker::wait(std::chrono::duration<double>(0.001));
    return true;
  });
  w->start().fire("a", 1).fire("b").join();
  done->join();
  EXPECT_TRUE(as<bool>(w->result()));
}

// Shows: PW-46, PW-47.
TEST_F(loop_test, shortcuts_mean_the_current_worker) {
  const worker_ptr top = this_worker::create_worker([this] {
    this_worker::listen("up", note());
    const worker_ptr child = this_worker::create_worker([this] {
      const listener_id id = this_worker::listen("self", note());
      this_worker::fire("self");
      this_worker::update();
      this_worker::unlisten(id);
      this_worker::fire("self");
      this_worker::update();
      const worker_ptr below = this_worker::create_worker(nullptr);
      below->listen("down", note());
      this_worker::broadcast("down");
      this_worker::children_fire("down");
      below->stop().join();
      this_worker::bubble("up");
      this_worker::parent_fire("up");
    });
    this_worker::wait_thread(child);
    this_worker::update();
  });
  top->join();
  EXPECT_EQ(seen.entries(), (lines{"self", "down", "down", "up", "up"}));
}

}  // namespace
}  // namespace threadref::workers
