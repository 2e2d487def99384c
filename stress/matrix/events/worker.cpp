// SPDX-License-Identifier: MIT
// Workers that are started, stopped, paused, started again and waited for.
#include <sched.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "stress/matrix/child/staged_worker.hpp"
#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/model/events.hpp"
#include "testing/gate.hpp"
#include "workers/this_worker.hpp"

namespace threadref::stress {

namespace of_worker {
namespace {

namespace this_worker = workers::this_worker;
using workers::exit_step;

constexpr int some = 8;  // callbacks of a thread

int started_and_stopped(event_context& ctx) {
  std::atomic<int> bodies{0};
  staged_worker w(ctx, [&] {
    ++bodies;
    ctx.attach(some);
    this_worker::wait_forever();
  });
  w->stop();  // lost: it does not run
  w->start();
  if (ctx.condition() == 1) w->start();
  w->stop();
  w.join();
  expect(ctx, bodies.load() == 1, "not as many threads as starts of a worker that did not run");
  expect(ctx, !w->is_running() && w->error() == nullptr, "it was stopped, and that is no error");
  return 0;
}

// What is known of the thread of one life of a worker.
struct life {
  std::atomic<std::uint32_t> thread{0};
  std::uint64_t identity = 0;
  std::function<bool()> watch;
};

// Its lives one after the other. The ids that the system gives its threads are the same again and
// again.
int restarted(event_context& ctx) {
  // Few enough for mechanisms that take a key for each value, of 1 024 that a process has.
  const auto times = static_cast<std::size_t>(ctx.size(100));
  std::vector<life> lives(times);
  const auto w = workers::worker::make([&](const std::any& argument) {
    life& mine = lives[std::any_cast<std::size_t>(argument)];
    mine.thread.store(ctx.thread());
    ctx.attach(some);
    if (ctx.condition() == 1) ctx.attach(&run_slowly);  // so that there is something to join
    if (ctx.subject.identity != nullptr) mine.identity = ctx.subject.identity();
    if (ctx.subject.watch != nullptr) mine.watch = ctx.subject.watch();
    this_worker::wait_forever();
  });
  std::set<std::uint64_t> identities;
  for (std::size_t i = 0; i != times; ++i) {
    w->start(i);  // joins the thread of the life before
    if (i != 0) ctx.note_joined(lives[i - 1].thread.load());
    w->stop();
    if (ctx.condition() == 0) w->join();
    wait_until([&] { return !w->is_running(); });
  }
  w->join();
  ctx.note_joined(lives.back().thread.load());
  for (const life& l : lives) {
    if (ctx.subject.identity != nullptr && !identities.insert(l.identity).second)
      ctx.record_violation("two lives of a worker had the same identity");
    if (l.watch != nullptr && l.watch())
      ctx.record_violation("a weak reference of an ended life reads alive");
  }
  return 0;
}

// A worker on a thread that is there already: none of its ends is that thread's.
void overlay(event_context& ctx, int depth) {
  const auto w = workers::worker::make([&ctx, depth] {
    ctx.attach(some);
    if (depth > 1) overlay(ctx, depth - 1);
    if (ctx.condition() == 2) this_worker::exit();
  });
  w->start_overlay();
  expect(ctx, !w->is_running(), "an overlay had not ended when it returned");
  if (ctx.ran() != 0) ctx.record_misordered();
}

int overlaid(event_context& ctx) {
  on_new_thread(ctx, [&ctx] {
    ctx.attach(some);
    overlay(ctx, ctx.condition() == 0 ? 1 : 5);
    ctx.attach(some);
    if (ctx.ran() != 0) ctx.record_misordered();
  });
  return 0;
}

int stopped_from_outside(event_context& ctx) {
  constexpr int most = 300;
  std::atomic<int> made{0};
  testing::gate look;
  staged_worker w(ctx, [&] {
    if (ctx.condition() == 1) {
      ctx.attach(some);
      made.store(most);
      look.wait();
    }
    for (;; this_worker::update()) {
      if (made.load() == most) continue;
      ctx.attach();
      ++made;
    }
  });
  const int enough = draw(ctx.choices, 1, most);
  w->start();
  wait_until([&] { return made.load() >= enough; });
  w->stop();
  if (ctx.condition() == 1) {
    expect(ctx, w->is_running(), "it ended before it could see that it was to stop");
    look.open();
  }
  w.join();
  return 0;
}

int paused(event_context& ctx) {
  std::atomic<int> heard{0};
  staged_worker w(ctx, [&ctx] {
    ctx.attach(some);
    this_worker::wait_forever();
  });
  w->listen("attach", [&](const workers::event& /*e*/) {
    ctx.attach();
    ++heard;
  });
  const auto pause_it = [&] {
    const int before = heard.load();
    w->pause().pause().fire("attach");
    wait_until([&] { return w->is_paused() && heard.load() != before; });
  };
  w->start();
  pause_it();
  if (ctx.condition() == 1) {
    w->resume().resume();
    wait_until([&] { return !w->is_paused(); });
  }
  w->stop();
  w.join();
  expect(ctx, !w->is_paused(), "it is paused, and does not run");
  if (ctx.condition() != 2) return 0;
  // Nothing of its pause is left: it can be paused and stopped once more.
  w->start();
  pause_it();
  w->stop();
  w.join();
  return 0;
}

// All of them must find that all has run.
int joined_by_many(event_context& ctx) {
  staged_worker w(ctx, [&] {
    for (int i = 0; i != some; ++i) ctx.attach(&run_slowly);
    if (ctx.condition() == 0) this_worker::wait_forever();
  });
  staged_worker never(ctx);
  w->start();
  if (ctx.condition() == 1) w.join();
  std::array<std::optional<posix_thread>, 4> joiners;
  for (std::optional<posix_thread>& j : joiners) {
    j.emplace(ctx, [&] {
      w.join();
      never.join();
    });
  }
  w->stop();
  for (std::optional<posix_thread>& j : joiners) j->join();
  return 0;
}

// A worker's task is over before it waits for its children, and before its callbacks: of these the
// newest waits until somebody has seen that.
testing::gate seen;

int waited_for(event_context& ctx) {
  staged_worker child(ctx, [&ctx] {
    ctx.attach(some);
    seen.wait();
  });
  staged_worker w(ctx, [&] {
    ctx.attach(some);
    ctx.attach([](event_context& /*in*/) { seen.wait(); });
    w->adopt(child.it());
    child->start();
    if (ctx.condition() == 1) this_worker::wait_forever();
  });
  w->start();
  if (ctx.condition() == 1) w->stop();
  const std::optional<workers::outcome> got = this_worker::wait_thread(w.it());
  expect(ctx, got.has_value(), "waiting without a limit ended without what it waited for");
  expect(ctx, !w->is_running() && w->state() == workers::worker_state::finishing,
         "its task is over, and its child runs: it should be finishing");
  seen.open();
  w.join();
  const std::uint32_t joined = ctx.stamp();
  must_precede_callbacks(ctx, w.stamp_of(exit_step::waiters_woken), w.thread());
  must_precede_callbacks(ctx, w.stamp_of(exit_step::left), w.thread());
  must_precede(ctx, child.thread(), w.thread());
  if (callbacks_of(ctx, w.thread()).last >= joined) ctx.record_misordered();
  expect(ctx, w.stamp_of(exit_step::waiters_woken) < w.stamp_of(exit_step::children_joined),
         "those that wait for a worker had to wait for its children");
  return 0;
}

constexpr event rows[] = {
    // Shows: PW-01, PW-02, PW-05.
    {.name = "worker/start_stop",
     .asks = "do callbacks run when a worker is started and stopped?",
     .run = &started_and_stopped,
     .conditions = {{{"once"}, {"started twice"}}}},
    // Shows: PW-03.
    {.name = "worker/restart",
     .asks = "does each life of a worker that is started again have its own, and its own thread?",
     .run = &restarted,
     .conditions = {{{"each is joined"}, {"each at the end of the other"}}}},
    // Shows: PW-04.
    {.name = "worker/overlay",
     .asks = "do those of a worker on a thread that was there wait for that thread's end?",
     .run = &overlaid,
     .conditions = {{{"one"}, {"five, one in another"}, {"five that exit"}}}},
    // Shows: PW-05.
    {.name = "worker/async_stop",
     .asks = "do they when a worker is stopped from outside?",
     .run = &stopped_from_outside,
     .conditions = {{{"while it registers"}, {"while it does not look"}}}},
    // Shows: PW-09.
    {.name = "worker/pause_stop",
     .asks = "do they when a paused worker is stopped?",
     .run = &paused,
     .conditions = {{{"while paused"}, {"when it goes on"}, {"and once more"}}}},
    // Shows: PW-10.
    {.name = "worker/join_barrier",
     .asks = "have all run when a worker's join returns, on each of several threads?",
     .run = &joined_by_many,
     .conditions = {{{"it runs"}, {"it has ended"}}}},
    // Shows: PW-11, PW-12.
    {.name = "worker/wait_vs_join",
     .asks = "do they run after those that wait for its task know, and before its join?",
     .run = &waited_for,
     .conditions = {{{"it returns"}, {"it is stopped"}}}},
};

}  // namespace
}  // namespace of_worker

std::span<const event> worker_events() {
  return of_worker::rows;
}

}  // namespace threadref::stress
