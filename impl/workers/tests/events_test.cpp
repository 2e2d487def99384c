// SPDX-License-Identifier: MIT
// Events and their listeners.
#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>

#include "workers/tests/fixture.hpp"

namespace threadref::workers {
namespace {

using event_test = worker_test;

// Shows: PW-21, PW-23.
TEST_F(event_test, fired_events_arrive_in_order_about_who_fired_them) {
  const worker_ptr to = worker::make();
  worker_ptr about_first;
  to->listen("first", [&](const event& e) {
    about_first = e.target;
    seen.add(e.name + as<std::string>(e.data));
  });
  to->listen("second", [&](const event& e) {
    EXPECT_EQ(e.target, to);
    EXPECT_TRUE(e.bubble);
    EXPECT_FALSE(e.broadcast);
    seen.add(e.name);
  });
  to->start();
  const worker_ptr from = worker::make([&to] {
    to->fire("first", std::string("!")).fire({.name = "second", .bubble = true, .target = to});
  });
  from->start().join();
  to->stop().join();
  EXPECT_EQ(seen.entries(), (lines{"first!", "second"}));
  EXPECT_EQ(about_first, from);
}

// Shows: PW-22.
TEST_F(event_test, what_a_dead_worker_is_sent_goes_back_to_the_sender_once) {
  const worker_ptr never = worker::make();
  const worker_ptr over = worker::make([] {});
  over->start().join();
  const worker_ptr w = worker::make([&] {
    for (const worker_ptr& to : {never, over}) {
      to->fire("hello", 22);
      const auto back = this_worker::wait_event(events::event_reject);
      const auto& why = std::any_cast<const rejection&>(*back);
      EXPECT_EQ(why.refused.name, "hello");
      EXPECT_EQ(as<int>(why.refused.data), 22);
      EXPECT_EQ(why.by, to);
    }
    this_worker::listen(events::event_reject, note());
    this_worker::update();
  });
  w->start().join();
  never->fire("nobody's");  // no sender, so nobody is notified
  EXPECT_EQ(seen.entries(), lines{});
}

// Four workers send while the receiver ends: each event is handled or returned, exactly once.
// Shows: PW-21, PW-22.
TEST_F(event_test, each_event_is_handled_or_refused_once) {
  constexpr int senders = 4;
  constexpr int each = 2000;
  std::array<std::atomic<int>, std::size_t{senders} * each> counts{};
  const worker_ptr to = worker::make();
  to->listen("n", [&](const event& e) {
    const int n = as<int>(e.data);
    ++counts.at(static_cast<std::size_t>(n));
    if (n % each == each / 2) this_worker::exit();
  });
  to->start();
  std::vector<worker_ptr> all;
  for (int s = 0; s != senders; ++s) {
    all.push_back(this_worker::create_worker([&, s] {
      this_worker::listen(events::event_reject, [&](const event& e) {
        ++counts.at(static_cast<std::size_t>(
            as<int>(std::any_cast<const rejection&>(e.data).refused.data)));
      });
      for (int i = 0; i != each; ++i) to->fire("n", s * each + i);
      this_worker::update();
    }));
  }
  for (const worker_ptr& one : all) one->join();
  to->join();
  for (const std::atomic<int>& one : counts) ASSERT_EQ(one, 1);
}

// Shows: PW-24.
TEST_F(event_test, higher_priorities_first_then_in_the_order_of_listen) {
  const worker_ptr w = worker::make();
  const auto say = [this](const char* what) { return [=, this](const event&) { seen.add(what); }; };
  w->listen("e", say("b"));
  w->listen("e", say("c"));
  w->listen("e", say("d"), {.priority = -1});
  w->listen("e", say("a"), {.priority = 7});
  w->start().fire("e").stop().join();
  EXPECT_EQ(seen.entries(), (lines{"a", "b", "c", "d"}));
}

// Shows: PW-25.
TEST_F(event_test, once_is_once_also_if_it_throws_or_fires_again) {
  const worker_ptr w = worker::make(nullptr, {.name = "w"});
  w->listen("e", note(), {.once = true});
  w->listen("e", [](const event&) { throw std::runtime_error("once"); }, {.once = true});
  w->listen("e",
            [](const event&) {
              this_worker::fire("e");
              this_worker::update();
            },
            {.priority = 1, .once = true});
  w->start().fire("e");
  yield_until([&w] { return w->listener_count() == 0; });
  w->stop().join();
  EXPECT_EQ(seen.entries(), lines{"e"});
  EXPECT_EQ(reported.entries(), lines{"w: a listener of e: once"});
}

// Shows: PW-26.
TEST_F(event_test, what_is_not_permanent_goes_with_the_thread) {
  const worker_ptr w = worker::make([this] {
    this_worker::listen("e", note());
    this_worker::wait_forever();
  });
  w->listen("e", note());
  w->start().fire("e").stop().join();
  EXPECT_EQ(w->listener_count(), 1U);
  w->start().fire("e").stop().join();
  EXPECT_EQ(seen.entries(), (lines{"e", "e", "e", "e"}));
  EXPECT_EQ(w->listener_count(), 1U);
}

// Shows: PW-27.
TEST_F(event_test, a_listener_for_a_target_hears_of_that_one_only) {
  const worker_ptr a = worker::make();
  worker_ptr gone = worker::make();
  const worker_ptr w = worker::make();
  w->listen("e", [&](const event& e) { seen.add(e.target == a ? "a" : "another"); }, {.target = a});
  w->listen("e", note(), {.target = gone});
  gone.reset();
  w->start().fire({.name = "e", .target = a}).fire({.name = "e", .target = w}).fire("e");
  w->stop().join();
  EXPECT_EQ(seen.entries(), lines{"a"});
}

// Shows: PW-28, PW-29.
TEST_F(event_test, listeners_may_come_and_go_while_they_are_told) {
  const worker_ptr w = worker::make();
  listener_id later{};
  listener_id first{};
  first = w->listen("e", [&](const event&) {
    seen.add("first");
    w->unlisten(first);
    w->unlisten(later);
    w->listen("e", [this](const event&) { seen.add("new"); });
  });
  later = w->listen("e", [this](const event&) { seen.add("later"); });
  EXPECT_EQ(w->listen("other", note(), {.same_as = later}), later);
  w->listen("e", [this](const event&) { seen.add("last"); });
  w->start().fire("e").fire("e").fire("other").stop().join();
  EXPECT_EQ(seen.entries(), (lines{"first", "last", "last", "new"}));
  EXPECT_THROW(w->unlisten(later), std::out_of_range);
  EXPECT_THROW(w->listen("e", nullptr), std::invalid_argument);
}

// Shows: PW-30.
TEST_F(event_test, a_listener_that_throws_ends_neither_the_others_nor_the_thread) {
  std::atomic<bool> finalized = false;
  const worker_ptr parent = worker::make([&] {
    const worker_ptr w = worker::make(
        [&] {
          finalize([&finalized] { finalized = true; });
          this_worker::wait_event("end");
          return 30;
        },
        {.name = "w"});
    this_worker::listen(events::listener_error, [&](const event& e) {
      EXPECT_EQ(e.target, w);
      seen.add("parent: " + message_of(as<std::exception_ptr>(e.data)));
    });
    w->listen("e", [](const event&) { throw std::runtime_error("bad"); });
    w->listen("e", note());
    w->listen(events::listener_error, [](const event&) { throw std::runtime_error("worse"); });
    w->start().fire("e");
    this_worker::wait(events::listener_error);
    EXPECT_FALSE(finalized);
    w->fire("end").join();
    EXPECT_EQ(as<int>(w->result()), 30);
  });
  parent->start().join();
  EXPECT_EQ(reported.entries(),
            (lines{"w: a listener of e: bad", "w: a listener of listener_error: worse"}));
  EXPECT_EQ(seen.entries().size(), 2U);
}

// Shows: PW-30.
TEST_F(event_test, exit_in_a_listener_ends_the_thread) {
  const worker_ptr w = worker::make();
  w->listen("e", [](const event&) { this_worker::exit(); });
  w->start().fire("e").join();
  EXPECT_EQ(w->error(), nullptr);
}

// Grandparent, parent and two children: which worker gets which event.
// Shows: PW-31.
TEST_F(event_test, bubbling_goes_up_and_broadcasting_down) {
  std::vector<worker_ptr> all;
  const auto make = [&](const char* name, const worker_ptr& parent) {
    worker_ptr w = worker::make(nullptr, {.name = name, .parent = parent});
    for (const char* e : {"up", "above", "down", "below", "one up", "one down"})
      w->listen(e, [this, name](const event& of) { seen.add(of.name + ": " + name); });
    all.push_back(w);
    return w;
  };
  const worker_ptr top = make("top", nullptr);
  const worker_ptr mid = make("mid", top);
  const worker_ptr leaf = make("leaf", mid);
  const worker_ptr leaf2 = make("leaf2", mid);
  for (const worker_ptr& w : all) w->start();
  leaf->fire({.name = "up", .bubble = true}).bubble("above").parent_fire("one up");
  top->fire({.name = "down", .broadcast = true}).broadcast("below").children_fire("one down");
  mid->children_fire("one down");
  leaf2->broadcast("below").children_fire("one down");
  top->bubble("above").parent_fire("one up");
  top->stop().join();
  lines got = seen.entries();
  std::sort(got.begin(), got.end());
  EXPECT_EQ(got, (lines{"above: mid", "above: top", "below: leaf", "below: leaf2", "below: mid",
                        "down: leaf", "down: leaf2", "down: mid", "down: top", "one down: leaf",
                        "one down: leaf2", "one down: mid", "one up: mid", "up: leaf", "up: mid",
                        "up: top"}));
}

TEST_F(event_test, invoke_runs_in_the_loop_and_its_error_ends_nothing) {
  const worker_ptr w = worker::make(nullptr, {.name = "w"});
  EXPECT_FALSE(w->invoke([] {}));
  w->start();
  EXPECT_TRUE(w->invoke([] { throw std::runtime_error("call"); }));
  EXPECT_TRUE(w->invoke([&] { EXPECT_EQ(this_worker::current(), w); }));
  EXPECT_TRUE(w->invoke([this] { seen.add("called"); }));
  w->fire(events::invoke);
  w->stop().join();
  EXPECT_EQ(seen.entries(), lines{"called"});
  EXPECT_EQ(reported.entries(), lines{"w: a call: call"});
}

}  // namespace
}  // namespace threadref::workers
