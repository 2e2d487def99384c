// SPDX-License-Identifier: MIT
// Parents and children.
#include <algorithm>
#include <atomic>
#include <chrono>

#include "workers/tests/fixture.hpp"

namespace threadref::workers {
namespace {

using namespace std::chrono_literals;
using family = worker_test;

// Shows: PW-01, PW-18.
TEST_F(family, the_parent_is_the_current_worker_unless_said_otherwise) {
  EXPECT_EQ(worker::make()->parent(), nullptr);
  this_worker::current();  // the root of the main thread
  EXPECT_EQ(worker::make()->parent(), nullptr);
  const worker_ptr other = worker::make();
  worker_ptr w;
  w = worker::make([&] {
    EXPECT_EQ(worker::make()->parent(), w);
    EXPECT_EQ(worker::make(nullptr, {.parent = nullptr})->parent(), nullptr);
    EXPECT_EQ(worker::make(nullptr, {.parent = other})->parent(), other);
  });
  w->start().join();
}

// Shows: PW-13.
TEST_F(family, a_daemon_is_one_by_its_own_flag_or_its_parents) {
  const worker_ptr plain = worker::make();
  const worker_ptr daemon = worker::make(nullptr, {.daemon = true});
  const auto is = [](const worker_ptr& parent, std::optional<bool> own) {
    return worker::make(nullptr, {.daemon = own, .parent = parent})->is_daemon();
  };
  EXPECT_FALSE(plain->is_daemon());
  EXPECT_TRUE(daemon->is_daemon());
  EXPECT_FALSE(is(plain, {}));
  EXPECT_TRUE(is(plain, true));
  EXPECT_TRUE(is(daemon, {}));
  EXPECT_FALSE(is(daemon, false));
}

// Shows: PW-15, PW-20.
TEST_F(family, a_parent_is_told_what_becomes_of_a_child) {
  const worker_ptr parent = worker::make([this] {
    for (const std::string_view name : {events::child_start, events::child_stop,
                                        events::child_error, events::child_done, events::child_end})
      this_worker::listen(name,
                          [this](const event& e) { seen.add(e.target->name() + " " + e.name); });
    const auto run_child = [](task what, std::string name) {
      gate listed;
      const worker_ptr w = worker::make(
          [&](const std::any& argument) {
            listed.wait();
            return what(argument);
          },
          {.name = std::move(name)});
      w->start();
      EXPECT_EQ(this_worker::current()->children(), std::vector{w});
      listed.open();
      const auto end = this_worker::wait_event(events::child_end, {}, w);
      EXPECT_TRUE(this_worker::current()->children().empty());
      w->join();
      return as<outcome>(*end);
    };
    EXPECT_EQ(as<int>(run_child([](const std::any&) { return 15; }, "done").result), 15);
    run_child([](const std::any&) { return this_worker::exit(), std::any{}; }, "exit");
    const outcome bad =
        run_child([](const std::any&) -> std::any { throw std::runtime_error("x"); }, "bad");
    EXPECT_EQ(message_of(bad.error), "x");
  });
  parent->start().join();
  EXPECT_EQ(parent->error(), nullptr) << message_of(parent->error());
  EXPECT_EQ(seen.entries(), (lines{"done child_start", "done child_done", "done child_end",
                                   "exit child_start", "exit child_stop", "exit child_end",
                                   "bad child_start", "bad child_error", "bad child_end"}));
}

// However a parent ends, its children are stopped and joined, and their finalizers come first.
// Shows: PW-16, PW-05.
TEST_F(family, children_end_before_the_parents_finalizers_whichever_way_it_ends) {
  for (const teardown policy : {teardown::serial, teardown::broadcast}) {
    for (const char* ending : {"return", "exit", "crash", "stop"}) {
      event_log order;
      worker_options how;
      how.children = policy;
      const worker_ptr parent = worker::make(
          [&] {
            finalize([&order] { order.add("parent"); });
            for (const char* name : {"first", "second"}) {
              this_worker::create_worker([&order, name] {
                finalize([&order, name] { order.add(name); });
                this_worker::wait_forever();
              });
            }
            const std::string_view is = ending;
            if (is == "exit") this_worker::exit();
            if (is == "crash") throw std::runtime_error("crash");
            if (is == "stop") this_worker::wait_forever();
          },
          how);
      parent->start().stop().join();
      lines got = order.entries();
      ASSERT_EQ(got.size(), 3U) << ending;
      EXPECT_EQ(got.back(), "parent") << ending;
      if (policy == teardown::serial) {
        EXPECT_EQ(got.front(), "first") << ending;
      }
    }
  }
}

// Two children that each wait until the other is stopped. Stopped one by one they would wait for
// ever, so this shows that a broadcast stops both before it joins one.
// Shows: PW-16.
// Differs: PW-16: the original has the serial order only.
TEST_F(family, a_broadcast_stops_all_descendants_before_it_joins_one) {
  gate older_ended;
  gate younger_ended;
  const worker_ptr parent = worker::make(
      [&] {
        this_worker::create_worker([&] {
          finalize([&] {
            younger_ended.wait();
            older_ended.open();
          });
          this_worker::wait_forever();
        });
        gate made;
        this_worker::create_worker([&] {
          this_worker::create_worker([&] {
            finalize([&younger_ended] { younger_ended.open(); });
            made.open();
            this_worker::wait_forever();
          });
          // Its parent never looks at its queue, so only the broadcast can stop it.
          older_ended.wait();
        });
        made.wait();
      },
      {.children = teardown::broadcast});
  parent->start().join();
  EXPECT_TRUE(older_ended.is_open());
}

// Shows: PW-17.
TEST_F(family, a_daemon_is_told_to_stop_and_not_waited_for) {
  gate out;
  worker_ptr daemon;
  const worker_ptr parent = worker::make([&] {
    daemon = this_worker::create_worker(
        [&out] {
          finalize([&out] { out.wait(); });
          this_worker::wait_forever();
        },
        {.daemon = true});
  });
  parent->start().join();
  EXPECT_NE(daemon->state(), worker_state::ended);
  out.open();
  daemon->join();
}

// Shows: PW-19.
TEST_F(family, without_a_parent_it_outlives_its_creator) {
  worker_ptr orphan;
  const worker_ptr creator = worker::make([&orphan] {
    orphan = this_worker::create_worker(
        [] {
          this_worker::wait_event("end");
          return 19;
        },
        {.parent = nullptr});
  });
  creator->start().join();
  EXPECT_TRUE(orphan->is_running());
  orphan->fire("end").join();
  EXPECT_EQ(as<int>(orphan->result()), 19);
}

// The child is no longer among the children, but its finalizers still run before the parent's.
// Shows: PW-20, PW-16.
TEST_F(family, a_child_that_has_left_is_joined_all_the_same) {
  gate out;
  gate left;
  std::atomic<bool> child_finalized = false;
  std::atomic<bool> in_time = false;
  worker_options how;
  how.on_step = [&](exit_step done) {
    if (done == exit_step::waiters_woken) left.open();
    if (done == exit_step::children_joined) in_time = child_finalized.load();
  };
  const worker_ptr parent = worker::make(
      [&] {
        const worker_ptr child = this_worker::create_worker([&] {
          finalize([&] {
            out.wait();
            child_finalized = true;
          });
        });
        this_worker::wait_event(events::child_end);
        EXPECT_TRUE(this_worker::current()->children().empty());
        EXPECT_FALSE(child_finalized);
      },
      how);
  parent->start();
  left.wait();
  for (int i = 0; i != 100; ++i) std::this_thread::yield();
  out.open();
  parent->join();
  EXPECT_TRUE(in_time);
}

// Shows: PW-20.
TEST_F(family, many_short_children_come_and_go) {
  std::atomic<int> finalized = 0;
  const worker_ptr parent = worker::make([&finalized] {
    for (int i = 0; i != 500; ++i) {
      this_worker::create_worker([&finalized] { finalize([&finalized] { ++finalized; }); });
      this_worker::wait_event(events::child_end);
    }
  });
  parent->start().join();
  EXPECT_EQ(finalized, 500);
}

TEST_F(family, an_adopted_worker_is_stopped_with_its_new_parent_only) {
  const worker_ptr first = worker::make();
  const worker_ptr second = worker::make();
  const worker_ptr child = worker::make(nullptr, {.parent = first});
  for (const worker_ptr& one : {first, second, child}) one->start();
  second->adopt(child);
  EXPECT_EQ(child->parent(), second);
  first->stop().join();
  EXPECT_TRUE(child->is_running());
  second->disown(child);
  first->adopt(child);
  first->disown(child).disown(child);
  second->adopt(child).stop().join();
  EXPECT_EQ(child->state(), worker_state::ended);
}

// Neither keeps the other alive for ever.
TEST_F(family, parents_and_children_that_are_over_are_not_kept) {
  std::weak_ptr<worker> parent;
  std::weak_ptr<worker> child;
  {
    const worker_ptr held = worker::make([&child] {
      const worker_ptr made = this_worker::create_worker(nullptr);
      child = made;
    });
    parent = held;
    held->start().join();
  }
  EXPECT_TRUE(parent.expired());
  EXPECT_TRUE(child.expired());
}

}  // namespace
}  // namespace threadref::workers
