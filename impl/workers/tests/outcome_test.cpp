// SPDX-License-Identifier: MIT
// Results and errors, and the workers that wait for them.
#include <atomic>
#include <system_error>

#include "workers/tests/fixture.hpp"

namespace threadref::workers {
namespace {

using results = worker_test;

// Shows: PW-14.
TEST_F(results, a_result_or_an_error_is_kept_and_the_error_reported) {
  const worker_ptr fine = worker::make([](const std::any& argument) { return argument; });
  EXPECT_EQ(as<int>(fine->start(42).join().result()), 42);
  const worker_ptr bad = worker::make([] { throw std::runtime_error("no"); }, {.name = "bad"});
  EXPECT_EQ(message_of(bad->start().join().error()), "no");
  EXPECT_FALSE(bad->result().has_value());
  const worker_ptr odd = worker::make([] { throw 14; }, {.name = "odd"});
  EXPECT_EQ(message_of(odd->start().join().error()), "something");
  const worker_ptr silent = worker::make([] { throw 15; }, {.report_errors = false});
  EXPECT_NE(silent->start().join().error(), nullptr);
  const worker_ptr stopped = worker::make();
  EXPECT_EQ(stopped->start().stop().join().error(), nullptr);
  EXPECT_EQ(reported.entries(), (lines{"bad: the task: no", "odd: the task: something"}));
}

// A crash runs finalizers like any other end, and a waiting worker gets the error before they run.
// Shows: PW-14, PW-11.
TEST_F(results, a_waiter_has_the_error_before_the_finalizers_run) {
  gate out;
  std::atomic<bool> finalized = false;
  const worker_ptr w = this_worker::create_worker([&] {
    finalize([&] {
      out.wait();
      finalized = true;
    });
    throw std::runtime_error("crash");
  });
  const std::optional<outcome> what = this_worker::wait_thread(w);
  ASSERT_TRUE(what.has_value());
  EXPECT_EQ(message_of(what->error), "crash");
  EXPECT_FALSE(finalized);
  out.open();
  w->join();
  EXPECT_TRUE(finalized);
}

// Shows: PW-11, PW-12.
TEST_F(results, the_logical_end_comes_before_the_childrens_and_before_the_native_end) {
  gate child_runs;
  gate waited;
  gate out;
  worker_ptr child;
  worker_options how;
  how.on_step = [&waited](exit_step done) {
    if (done == exit_step::waiters_woken) waited.wait();
  };
  const worker_ptr w = worker::make(
      [&] {
        child = this_worker::create_worker([&] {
          child_runs.open();
          this_worker::wait_forever();
        });
        child_runs.wait();
        finalize([&out] { out.wait(); });
        return 11;
      },
      how);
  w->start();
  const std::optional<outcome> what = this_worker::wait(w);
  ASSERT_TRUE(what.has_value());
  EXPECT_EQ(as<int>(what->result), 11);
  EXPECT_TRUE(child->is_running());
  EXPECT_FALSE(w->is_running());
  EXPECT_EQ(w->state(), worker_state::finishing);
  waited.open();
  yield_until([&w] { return w->state() == worker_state::draining; });
  EXPECT_EQ(child->state(), worker_state::ended);
  out.open();
  w->join();
  EXPECT_EQ(w->state(), worker_state::ended);
}

// Shows: PW-11.
TEST_F(results, waiting_for_what_does_not_run_returns_at_once) {
  const worker_ptr not_started = worker::make();
  EXPECT_TRUE(this_worker::wait_thread(not_started).has_value());
  const worker_ptr over = worker::make([] { return 1; });
  over->start().join();
  const std::optional<outcome> what = this_worker::wait_thread(over);
  ASSERT_TRUE(what.has_value());
  EXPECT_EQ(as<int>(what->result), 1);
  const worker_ptr runs = this_worker::create_worker(nullptr);
  EXPECT_FALSE(this_worker::wait_thread(runs, std::chrono::milliseconds(1)).has_value());
  runs->stop().join();
}

// The inner wait takes the event that wakes; the outer one must still notice the end.
// Shows: PW-11.
TEST_F(results, a_listener_may_wait_for_the_same_worker) {
  gate go;
  const worker_ptr slow = this_worker::create_worker([&go] { go.wait(); });
  const worker_ptr waiter = worker::make([&] {
    this_worker::listen("nested", [&](const event&) {
      go.open();
      EXPECT_TRUE(this_worker::wait_thread(slow).has_value());
      seen.add("inner");
    });
    this_worker::fire("nested");
    EXPECT_TRUE(this_worker::wait_thread(slow).has_value());
    seen.add("outer");
  });
  waiter->start().join();
  slow->join();
  EXPECT_EQ(seen.entries(), (lines{"inner", "outer"}));
}

// Shows: PW-11.
TEST_F(results, waiting_for_oneself_is_an_error_and_a_stop_ends_a_wait) {
  const worker_ptr other = this_worker::create_worker(nullptr);
  const worker_ptr w = worker::make([&] {
    EXPECT_THROW(this_worker::wait_thread(this_worker::current()), std::system_error);
    this_worker::wait_thread(other);
    ADD_FAILURE() << "went on";
  });
  w->start().stop().join();
  other->stop().join();
}

}  // namespace
}  // namespace threadref::workers
