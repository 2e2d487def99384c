// SPDX-License-Identifier: MIT
// Starting, stopping and joining workers, and what runs when they end.
#include <absl/cleanup/cleanup.h>

#include <array>
#include <atomic>
#include <set>
#include <system_error>
#include <type_traits>

#include "workers/tests/fixture.hpp"

namespace threadref::workers {
namespace {

using life = worker_test;

// Shows: PW-01, PW-35.
TEST_F(life, without_a_task_it_waits_until_it_is_stopped) {
  const worker_ptr w = worker::make();
  EXPECT_EQ(w->state(), worker_state::idle);
  w->listen("tick", note());
  w->start().fire("tick").fire("tick").stop().join();
  EXPECT_EQ(seen.entries(), (lines{"tick", "tick"}));
  EXPECT_EQ(w->state(), worker_state::ended);
}

// Shows: PW-02.
TEST_F(life, it_takes_events_from_the_start_and_starts_once) {
  std::atomic<int> starts = 0;
  const worker_ptr w = worker::make([&starts](const std::any& argument) {
    starts += as<int>(argument);
    this_worker::wait_event("end");
  });
  EXPECT_EQ(&w->start(1), w.get());
  EXPECT_TRUE(w->is_running());
  w->start(100);
  w->fire("end").join();
  EXPECT_EQ(starts, 1);
}

// Shows: PW-03, PW-14.
TEST_F(life, each_start_is_a_thread_of_its_own_with_its_own_finalizers) {
  std::vector<std::uint64_t> ran;
  std::vector<ref> refs;
  int starts = 0;
  const worker_ptr w = worker::make([&] {
    refs.emplace_back();
    finalize([&ran] { ran.push_back(threadref::current().serial()); });
    if (++starts == 1) throw std::runtime_error("the first time");
    return starts;
  });
  std::vector<std::uint64_t> serials;
  for (int i = 0; i != 3; ++i) {
    w->start().join();
    serials.push_back(w->thread().serial());
    EXPECT_TRUE(refs.back().expired());
    EXPECT_EQ(message_of(w->error()), i == 0 ? "the first time" : "none");
    EXPECT_EQ(w->result().has_value(), i != 0);
  }
  EXPECT_EQ(ran, serials);
  EXPECT_EQ(std::set(serials.begin(), serials.end()).size(), 3U);
}

// A restart waits for the finalizers of the previous thread.
// Shows: PW-03.
// Differs: PW-12: the original starts a second thread beside the one that is still ending.
TEST_F(life, two_lives_of_a_worker_do_not_overlap) {
  gate out;
  std::atomic<int> inside = 0;
  const worker_ptr w = worker::make([&] {
    EXPECT_EQ(++inside, 1);
    finalize([&] {
      out.wait();
      --inside;
    });
  });
  w->start();
  yield_until([&w] { return w->state() == worker_state::draining; });
  std::thread starter([&w] { w->start(); });
  for (int i = 0; i != 100; ++i) std::this_thread::yield();
  out.open();
  starter.join();
  w->join();
  EXPECT_EQ(inside, 0);
}

// Shows: PW-04.
TEST_F(life, an_overlay_runs_here_and_leaves_the_thread_its_finalizers) {
  const worker_ptr under = this_worker::create_worker(
      [this] {
        const worker_ptr below = this_worker::current();
        const worker_ptr inner = worker::make([this] {
          finalize([this] { seen.add("finalizer of the inner"); });
          seen.add("inner");
        });
        const worker_ptr outer = worker::make(
            [this, below, inner] {
              EXPECT_EQ(this_worker::current()->parent(), below);
              this_worker::listen("x", note());
              inner->start_overlay();
              EXPECT_EQ(this_worker::current()->name(), "outer");
              seen.add("outer");
              this_worker::exit();
            },
            {.name = "outer"});
        EXPECT_EQ(&outer->start_overlay(), outer.get());
        EXPECT_EQ(outer->state(), worker_state::ended);
        EXPECT_EQ(outer->listener_count(), 0U);
        EXPECT_EQ(this_worker::current(), below);
        outer->join();
        seen.add("below");
      },
      {.name = "below", .parent = nullptr});
  under->join();
  EXPECT_EQ(seen.entries(), (lines{"inner", "outer", "below", "finalizer of the inner"}));
  EXPECT_EQ(reported.entries(), lines{});
}

// Shows: PW-05.
TEST_F(life, stop_is_asynchronous_and_lost_on_one_that_does_not_run) {
  gate go;
  const worker_ptr w = worker::make([&go] {
    go.wait();
    this_worker::wait_forever();
  });
  w->stop();
  w->start().stop();
  EXPECT_TRUE(w->is_running());
  go.open();
  w->join();
  w->stop();
  w->start();
  for (int i = 0; i != 100; ++i) std::this_thread::yield();
  EXPECT_TRUE(w->is_running());
  w->stop().join();
}

void nested(int frames, std::atomic<int>& guards) {
  const absl::Cleanup guard = [&guards] { ++guards; };
  if (frames == 1) return this_worker::exit();
  nested(frames - 1, guards);
}

// Shows: PW-06, PW-07, PW-49.
TEST_F(life, exit_runs_guards_and_then_finalizers_and_is_no_std_exception) {
  static_assert(!std::is_base_of_v<std::exception, worker_exit>);
  std::atomic<int> guards = 0;
  int guards_before_finalizer = 0;
  const worker_ptr w = this_worker::create_worker([&] {
    finalize([&] { guards_before_finalizer = guards; });
    try {
      nested(100, guards);
    } catch (const std::exception&) {
      ADD_FAILURE() << "caught as an error";
    }
    ADD_FAILURE() << "went on";
  });
  w->join();
  EXPECT_EQ(guards, 100);
  EXPECT_EQ(guards_before_finalizer, 100);
  EXPECT_EQ(w->error(), nullptr);
}

// Shows: PW-06.
// Differs: PW-50: the row names an exception that the original has not either; worker_exit is all.
TEST_F(life, who_swallows_the_exit_goes_on) {
  bool finalized = false;
  bool finalized_too_early = false;
  const worker_ptr w = worker::make([&] {
    finalize([&finalized] { finalized = true; });
    try {
      this_worker::wait_forever();
    } catch (...) {
      finalized_too_early = finalized;
    }
    this_worker::wait_event("end");
    return 6;
  });
  w->start().stop().fire("end").join();
  EXPECT_FALSE(finalized_too_early);
  EXPECT_TRUE(finalized);
  EXPECT_EQ(as<int>(w->result()), 6);
}

// Shows: PW-49.
TEST_F(life, cleanup_after_waiting_for_ever) {
  const worker_ptr w = worker::make([this] {
    const absl::Cleanup guard = [this] { seen.add("guard"); };
    finalize([this] { seen.add("finalizer"); });
    this_worker::wait_forever();
  });
  w->start().stop().join();
  EXPECT_EQ(seen.entries(), (lines{"guard", "finalizer"}));
}

// Shows: PW-08.
TEST_F(life, what_stands_behind_the_stop_is_drained_after_the_task) {
  gate go;
  const worker_ptr w = worker::make(
      [&] {
        go.wait();
        const absl::Cleanup over = [this] { seen.add("task over"); };
        this_worker::wait_forever();
      },
      {.name = "w"});
  w->listen("before", note());
  w->listen("behind", [this](const event& e) {
    seen.add(e.name);
    finalize([this] { seen.add("finalizer"); });
  });
  w->listen("bad", [](const event&) { throw std::runtime_error("in the drain"); });
  w->listen("exit", [](const event&) { this_worker::exit(); });
  w->listen("wait", [](const event&) { this_worker::wait_forever(); });
  w->start();
  for (const char* name : {"before", "stop", "bad", "stop", "pause", "exit", "behind", "wait"})
    w->fire(name);
  go.open();
  w->join();
  EXPECT_EQ(seen.entries(), (lines{"before", "task over", "behind", "finalizer"}));
  EXPECT_EQ(reported.entries(), lines{"w: a listener of bad: in the drain"});
  EXPECT_EQ(w->error(), nullptr);
}

// Shows: PW-10.
TEST_F(life, join_is_native_and_for_any_number_of_threads) {
  worker::make()->join();
  gate out;
  std::atomic<bool> finalized = false;
  std::atomic<bool> self_joined = false;
  const worker_ptr w = this_worker::create_worker([&] {
    finalize([&] {
      out.wait();
      finalized = true;
    });
    try {
      this_worker::current()->join();
    } catch (const std::system_error& e) {
      self_joined = e.code() == std::errc::resource_deadlock_would_occur;
    }
  });
  EXPECT_FALSE(w->join_for(std::chrono::milliseconds(1)));
  std::vector<std::thread> joiners;
  for (int i = 0; i != 4; ++i)
    joiners.emplace_back([&] { EXPECT_TRUE((w->join(), finalized.load())); });
  out.open();
  for (std::thread& one : joiners) one.join();
  EXPECT_TRUE(w->join_for(std::chrono::hours(1)));
  EXPECT_EQ(&w->join(), w.get());
  EXPECT_TRUE(self_joined);
}

// The names of the steps, and a finalizer of the worker after them.
// Shows: PW-48, PW-12, PW-26.
// Differs: PW-48: listeners that are not permanent go by a finalizer, so at the native end.
TEST_F(life, the_exit_sequence_and_the_states_in_it) {
  constexpr std::array names{"task ended",      "parent told",   "queue closed",    "queue drained",
                             "parent told end", "waiters woken", "children joined", "left"};
  worker_ptr w;
  worker_options how;
  std::vector<worker_state> states;
  how.on_step = [&](exit_step done) {
    seen.add(names.at(static_cast<std::size_t>(done)));
    states.push_back(w->state());
  };
  std::size_t listeners = 0;
  gate made;
  w = worker::make(
      [&] {
        made.wait();
        this_worker::listen("never", note());
        finalize([&] {
          seen.add("finalizer");
          states.push_back(w->state());
          listeners = w->listener_count();
          EXPECT_EQ(this_worker::try_current(), nullptr);
        });
      },
      how);
  w->listen("never", note());
  made.open();
  w->start().join();
  lines expected(names.begin(), names.end());
  expected.emplace_back("finalizer");
  EXPECT_EQ(seen.entries(), expected);
  using enum worker_state;
  EXPECT_EQ(states, (std::vector{running, running, finishing, finishing, finishing, finishing,
                                 finishing, finishing, draining}));
  EXPECT_EQ(w->state(), ended);
  EXPECT_EQ(listeners, 2U);
  EXPECT_EQ(w->listener_count(), 1U);
}

// Shows: PW-48.
TEST_F(life, pthread_exit_ends_it_as_a_stop_does) {
  bool finalized = false;
  const worker_ptr parent = worker::make([&] {
    const worker_ptr w = worker::make([&] {
      finalize([&finalized] { finalized = true; });
      pthread_exit(nullptr);
    });
    for (const std::string_view name : {events::child_stop, events::child_end})
      this_worker::listen(name, note());
    w->start();
    this_worker::wait(events::child_end);
    w->join();
  });
  parent->start().join();
  EXPECT_EQ(seen.entries(), (lines{"child_stop", "child_end"}));
  EXPECT_TRUE(finalized);
}

}  // namespace
}  // namespace threadref::workers
