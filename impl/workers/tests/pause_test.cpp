// SPDX-License-Identifier: MIT
#include <atomic>

#include "workers/tests/fixture.hpp"

namespace threadref::workers {
namespace {

using pause_resume = worker_test;

// Shows: PW-09.
// Differs: PW-09: a wait that was interrupted sees what came while paused; the original's does not.
TEST_F(pause_resume, listeners_go_on_and_the_interrupted_wait_sees_what_came) {
  const worker_ptr w = worker::make([] {
    this_worker::wait_event("go");
    return 9;
  });
  w->listen("go", note());
  w->start().pause().pause().fire("go");
  yield_until([this] { return !seen.entries().empty(); });
  EXPECT_TRUE(w->is_paused());
  EXPECT_TRUE(w->is_running());
  EXPECT_EQ(&w->resume(), w.get());
  w->join();
  EXPECT_FALSE(w->is_paused());
  EXPECT_EQ(as<int>(w->result()), 9);
}

// Shows: PW-09, PW-33.
TEST_F(pause_resume, the_next_wait_sees_what_came_while_paused_in_an_update) {
  gate sent;
  const worker_ptr w = worker::make([&sent] {
    sent.wait();
    this_worker::update();
    this_worker::update();
    return as<int>(*this_worker::wait_event("go"));
  });
  w->start().pause().fire("other").fire("go", 90).resume();
  sent.open();
  w->join();
  EXPECT_EQ(as<int>(w->result()), 90);
}

// Shows: PW-09.
// Differs: PW-09: stopped while paused, it can be paused again in its next life.
TEST_F(pause_resume, a_stop_ends_a_paused_worker_and_leaves_nothing_behind) {
  int lives = 0;
  const worker_ptr w = worker::make([&lives] {
    if (++lives == 3) return this_worker::wait_event("left", std::chrono::milliseconds(1));
    this_worker::wait_forever();
    return std::optional<std::any>{};
  });
  for (int i = 0; i != 2; ++i) {
    w->start().pause().fire("left");
    yield_until([&w] { return w->is_paused(); });
    w->stop().join();
    EXPECT_FALSE(w->is_paused());
  }
  w->start().join();
  EXPECT_FALSE(as<std::optional<std::any>>(w->result()).has_value());
}

// Shows: PW-09.
TEST_F(pause_resume, what_a_listener_does_meanwhile_may_fail_or_resume) {
  const worker_ptr w = worker::make(nullptr, {.name = "w"});
  w->listen("fails", [](const event&) { throw std::runtime_error("paused"); });
  w->listen("go on", [](const event&) {
    this_worker::current()->resume();
    this_worker::update();
  });
  w->start().pause().fire("fails").fire("go on");
  yield_until([this] { return !reported.entries().empty(); });
  yield_until([&w] { return !w->is_paused(); });
  w->pause();
  yield_until([&w] { return w->is_paused(); });
  w->stop().join();
}

}  // namespace
}  // namespace threadref::workers
