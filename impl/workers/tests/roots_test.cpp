// SPDX-License-Identifier: MIT
// Threads that were not started as workers.
#include <chrono>
#include <cstdlib>
#include <stdexcept>

#include "workers/tests/fixture.hpp"

namespace threadref::workers {
namespace {

using namespace std::chrono_literals;
using roots = worker_test;

// Shows: PW-44.
TEST_F(roots, current_is_an_error_on_a_thread_that_is_no_worker) {
  EXPECT_TRUE(this_worker::is_main());
  EXPECT_TRUE(this_worker::current()->is_root());
  EXPECT_EQ(this_worker::current(), this_worker::current());
  std::thread([] {
    EXPECT_FALSE(this_worker::is_main());
    EXPECT_EQ(this_worker::try_current(), nullptr);
    EXPECT_THROW(this_worker::current(), std::logic_error);
    EXPECT_THROW(this_worker::exit(), std::logic_error);
  }).join();
  worker_ptr w;
  w = worker::make([&w] {
    EXPECT_FALSE(this_worker::is_main());
    EXPECT_EQ(this_worker::current(), w);
    EXPECT_FALSE(w->is_root());
  });
  w->start().join();
}

// The first wait creates the root. A finalizer, which runs newest first like any other, destroys it
// and ends its children.
// Shows: PW-45.
// Differs: PW-45: it stays until its thread ends, and not only for the one wait.
TEST_F(roots, a_wait_on_a_native_thread_makes_a_root_that_a_finalizer_destroys) {
  std::weak_ptr<worker> root;
  worker_ptr child;
  std::thread([&] {
    finalize([&] {
      EXPECT_TRUE(root.expired());
      EXPECT_EQ(child->state(), worker_state::ended);
      seen.add("older");
    });
    this_worker::sleep(1ms);
    root = this_worker::current();
    EXPECT_TRUE(this_worker::current()->is_root());
    EXPECT_EQ(this_worker::create_worker([] {})->join().parent(), nullptr);
    child = worker::make(nullptr, {.parent = this_worker::current()});
    child->start();
    finalize([&] {
      EXPECT_FALSE(root.expired());
      EXPECT_TRUE(child->is_running());
      seen.add("newer");
    });
  }).join();
  EXPECT_EQ(seen.entries(), (lines{"newer", "older"}));
}

// A wait in a finalizer, after the root is destroyed, creates another one, which is destroyed in
// the same exit.
// Shows: PW-45.
TEST_F(roots, a_finalizer_may_wait) {
  std::weak_ptr<worker> root;
  std::thread([&root] {
    finalize([&root] {
      EXPECT_FALSE(this_worker::wait_event("never", 1ms).has_value());
      root = this_worker::current();
    });
    this_worker::update();
  }).join();
  EXPECT_TRUE(root.expired());
}

// Shows: PW-36.
// Differs: PW-36: the original's wait returns nothing on a root.
TEST_F(roots, a_root_gets_what_it_waits_for) {
  std::thread([] {
    this_worker::fire("e", 36);
    EXPECT_EQ(as<int>(*this_worker::wait_event("e")), 36);
    this_worker::fire("f", 37);
    EXPECT_EQ(this_worker::wait_until([](const event&) { return true; })->name, "f");
  }).join();
}

// Shows: PW-07.
TEST_F(roots, exit_and_stop_end_the_children_of_a_root_and_not_the_root) {
  std::thread([] {
    const worker_ptr me = this_worker::current_or_root();
    const worker_ptr child = worker::make(nullptr, {.parent = me});
    child->start();
    this_worker::exit();
    EXPECT_EQ(child->state(), worker_state::ended);
    child->start();
    me->stop();
    this_worker::wait_forever();
    EXPECT_EQ(child->state(), worker_state::ended);
    child->start();
    me->listen("e", [](const event&) {
      this_worker::sleep(1h);  // not the outermost wait, so worker_exit propagates
      ADD_FAILURE() << "went on";
    });
    me->fire("e").stop();
    EXPECT_FALSE(this_worker::wait_event("never").has_value());
    EXPECT_EQ(child->state(), worker_state::ended);
    EXPECT_TRUE(me->is_running());
  }).join();
}

// Shows: PW-45, PW-22.
TEST_F(roots, what_nobody_took_from_a_root_goes_back_to_the_sender) {
  const worker_ptr sender = worker::make([this] {
    worker_ptr root;
    gate made;
    gate sent;
    std::thread native([&] {
      root = this_worker::current_or_root();
      made.open();
      sent.wait();
    });
    made.wait();
    root->fire("lost");
    sent.open();
    native.join();
    const auto back = this_worker::wait_event(events::event_reject);
    seen.add(std::any_cast<const rejection&>(*back).refused.name);
  });
  sender->start().join();
  EXPECT_EQ(seen.entries(), lines{"lost"});
}

// Shows: PW-18.
// Differs: PW-18: the process ends when main does, whatever workers are left; the original hangs.
TEST(roots_death, the_process_ends_although_workers_are_left) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        this_worker::create_worker(nullptr, {.daemon = true});
        this_worker::create_worker(nullptr);
        worker::make(nullptr, {.daemon = true, .parent = this_worker::current()})->start();
        std::exit(0);
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace threadref::workers
