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
  w->stop();  // has no effect: it does not run yet
  w->start();
  if (ctx.condition() == 1) w->start();
  w->stop();
  w.join();
  expect(ctx, bodies.load() == 1, "a worker that was started did not run once");
  expect(ctx, !w->is_running() && w->error() == nullptr,
         "a stopped worker still runs, or has an error");
  return 0;
}

// One life of a worker: a start, its thread, and its end.
struct life {
  std::atomic<std::uint32_t> thread{0};
  std::uint64_t identity = 0;
  std::function<bool()> watch;
};

// A worker is started again and again. The system gives its threads the same ids.
int restarted(event_context& ctx) {
  // Few enough for a mechanism that takes a key for each value: a process has 1,024.
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
    w->start(i);  // joins the thread of the last life
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
      ctx.record_violation("a weak reference to a life that ended says that it is alive");
  }
  return 0;
}

// An overlay is a worker on an existing thread: its end is not the end of that thread.
void overlay(event_context& ctx, int depth) {
  const auto w = workers::worker::make([&ctx, depth] {
    ctx.attach(some);
    if (depth > 1) overlay(ctx, depth - 1);
    if (ctx.condition() == 2) this_worker::exit();
  });
  w->start_overlay();
  expect(ctx, !w->is_running(), "an overlay still ran when start_overlay() returned");
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
    expect(ctx, w->is_running(), "a worker ended before it looked for a stop");
    look.open();
  }
  w.join();
  return 0;
}

int paused(event_context& ctx) {
  std::atomic<int> received{0};
  staged_worker w(ctx, [&ctx] {
    ctx.attach(some);
    this_worker::wait_forever();
  });
  w->listen("attach", [&](const workers::event& /*e*/) {
    ctx.attach();
    ++received;
  });
  const auto pause_it = [&] {
    const int before = received.load();
    w->pause().pause().fire("attach");
    wait_until([&] { return w->is_paused() && received.load() != before; });
  };
  w->start();
  pause_it();
  if (ctx.condition() == 1) {
    w->resume().resume();
    wait_until([&] { return !w->is_paused(); });
  }
  w->stop();
  w.join();
  expect(ctx, !w->is_paused(), "a worker that does not run is paused");
  if (ctx.condition() != 2) return 0;
  // Its last pause has left nothing behind: it can be paused and stopped again.
  w->start();
  pause_it();
  w->stop();
  w.join();
  return 0;
}

// When join() returns on any of the threads, all callbacks must have run.
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

// A worker's task is over before the worker waits for its children, and before its callbacks run.
// The newest callback waits until that was seen.
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
  expect(ctx, got.has_value(), "waiting without a time limit returned no outcome");
  expect(ctx, !w->is_running() && w->state() == workers::worker_state::finishing,
         "a worker whose task is over, and whose child runs, is not finishing");
  seen.open();
  w.join();
  const std::uint32_t joined = ctx.stamp();
  must_precede_callbacks(ctx, w.stamp_of(exit_step::waiters_woken), w.thread());
  must_precede_callbacks(ctx, w.stamp_of(exit_step::left), w.thread());
  must_precede(ctx, child.thread(), w.thread());
  if (callbacks_of(ctx, w.thread()).last >= joined) ctx.record_misordered();
  expect(ctx, w.stamp_of(exit_step::waiters_woken) < w.stamp_of(exit_step::children_joined),
         "the waiters of a worker had to wait for its children");
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
