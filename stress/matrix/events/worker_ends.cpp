// SPDX-License-Identifier: MIT
// How workers end: by themselves, by an exception, while they handle events.
#include <array>
#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>

#include "stress/matrix/child/staged_worker.hpp"
#include "stress/matrix/model/events.hpp"
#include "testing/gate.hpp"
#include "workers/this_worker.hpp"

namespace threadref::stress {

namespace of_worker_ends {
namespace {

namespace this_worker = workers::this_worker;
using workers::exit_step;

constexpr int some = 8;  // callbacks of a thread

struct not_an_exception {};

// An object on a thread's stack, which is destroyed before all of the thread's callbacks run.
class guard {
 public:
  guard(event_context& ctx, std::atomic<int>& left) noexcept : ctx_(ctx), left_(left) {}
  ~guard() {
    if (ctx_.ran() != 0) ctx_.record_misordered();
    ++left_;
  }
  guard(const guard&) = delete;
  guard& operator=(const guard&) = delete;

 private:
  event_context& ctx_;
  std::atomic<int>& left_;
};

struct deep_call {
  event_context& ctx;
  std::atomic<int>& left;
  std::function<void()> at_the_bottom;
  void from(int frames) {
    const guard frame(ctx, left);
    if (frames > 1) return from(frames - 1);
    at_the_bottom();
  }
};

// The exception passes frames that have something to destroy, and that catch std::exception.
int exit_by_exception(event_context& ctx) {
  constexpr std::array<int, 4> frames{1, 10, 100, 100};
  const bool swallowed = ctx.condition() == 3;
  std::atomic<int> frames_left{0};
  bool went_on = false;
  staged_worker w(ctx, [&] {
    ctx.attach(some);
    deep_call all{ctx, frames_left, [] { throw workers::worker_exit{}; }};
    try {
      all.from(frames[ctx.condition()]);
    } catch (const std::exception&) {
      ctx.record_violation("the exception that ends a worker was caught as a std::exception");
    } catch (const workers::worker_exit&) {
      if (!swallowed) throw;
    }
    went_on = true;
    ctx.attach(some);
    if (ctx.ran() != 0) ctx.record_misordered();
  });
  w->start();
  w.join();
  expect(ctx, frames_left.load() == frames[ctx.condition()], "a frame was not left");
  expect(ctx, went_on == swallowed,
         "a worker went on although it had to end, or ended although it had to go on");
  expect(ctx, w->error() == nullptr, "an exit counts as an error");
  return 0;
}

// Main's own worker has no thread that could end: exit() ends its children and returns.
int exit_of_main(event_context& ctx) {
  staged_worker child(ctx,
                      [&ctx] {
                        ctx.attach(some);
                        this_worker::wait_forever();
                      },
                      {.parent = this_worker::current_or_root()});
  child->start();
  this_worker::exit();
  expect(ctx, !child->is_running(), "the children of main's worker outlived its exit");
  child.join();
  return 0;
}

int exits_now(event_context& ctx) {
  if (ctx.condition() == 3) return exit_of_main(ctx);
  std::atomic<int> frames_left{0};
  staged_worker w(ctx, [&] {
    ctx.attach(some);
    if (ctx.condition() == 0) {
      deep_call deep{ctx, frames_left, [] { this_worker::exit(); }};
      deep.from(10);
    }
    this_worker::wait_forever();
  });
  w->listen("leave", [](const workers::event& /*e*/) { this_worker::exit(); });
  w->start();
  if (ctx.condition() == 1) w->fire("leave");
  if (ctx.condition() == 2) w->invoke([] { this_worker::exit(); });
  w.join();
  expect(ctx, frames_left.load() == (ctx.condition() == 0 ? 10 : 0), "a frame was not left");
  return 0;
}

// The error is known before the callbacks run: the newest callback waits until it was seen.
testing::gate seen;

int crashes(event_context& ctx) {
  std::atomic<int> frames_left{0};
  staged_worker w(ctx,
                  [&] {
                    ctx.attach(some);
                    ctx.attach([](event_context& /*in*/) { seen.wait(); });
                    deep_call deep{ctx, frames_left, [&ctx] {
                                     if (ctx.condition() == 0)
                                       throw std::runtime_error("from a task");
                                     throw not_an_exception{};
                                   }};
                    deep.from(10);
                  },
                  {.report_errors = ctx.condition() == 0});
  w->start();
  const std::optional<workers::outcome> got = this_worker::wait_thread(w.it());
  expect(ctx, got.has_value() && got->error != nullptr && got->error == w->error(),
         "the waiters of a worker did not get the error of its task");
  seen.open();
  w.join();
  expect(ctx, frames_left.load() == 10, "a frame was not left");
  must_precede_callbacks(ctx, w.stamp_of(exit_step::task_ended), w.thread());
  return 0;
}

// A guard on the stack runs before a callback, however the worker ends.
int guard_and_callback(event_context& ctx) {
  std::atomic<int> frames_left{0};
  staged_worker w(ctx, [&] {
    const guard before(ctx, frames_left);
    ctx.attach();
    const guard after(ctx, frames_left);
    if (ctx.condition() == 0) return;
    if (ctx.condition() == 1) this_worker::exit();
    if (ctx.condition() == 2) throw std::runtime_error("from a task");
    this_worker::wait_forever();
  });
  w->start();
  w->stop();
  w.join();
  expect(ctx, frames_left.load() == 2, "a frame was not left");
  return 0;
}

// The worker is stopped while it handles an event. Events that were sent before the stop are
// handled before its task ends, later ones afterwards. The callbacks that they register must run,
// too.
int drains(event_context& ctx) {
  const int behind = ctx.condition() == 0 ? 1 : 200;
  testing::gate held;
  testing::gate go_on;
  std::atomic<std::uint32_t> ahead_at{0};
  std::atomic<std::uint32_t> behind_at{0};
  std::atomic<int> handled{0};
  staged_worker w(ctx);
  w->listen("hold", [&](const workers::event& /*e*/) {
    held.open();
    go_on.wait();
  });
  w->listen("ahead", [&](const workers::event& /*e*/) {
    ctx.attach();
    ahead_at.store(ctx.stamp());
  });
  w->listen("behind", [&](const workers::event& /*e*/) {
    ctx.attach();
    if (handled.fetch_add(1) == 0) behind_at.store(ctx.stamp());
  });
  w->start();
  w->fire("hold");
  held.wait();
  w->fire("ahead").stop();
  for (int i = 0; i != behind; ++i) w->fire("behind");
  w->stop();  // a second stop has no effect on what is left in the queue
  go_on.open();
  w.join();
  expect(ctx, handled.load() == behind, "an event was not handled");
  expect(ctx, ahead_at.load() < w.stamp_of(exit_step::task_ended),
         "an event before the stop was handled after the end of the task");
  expect(ctx, behind_at.load() > w.stamp_of(exit_step::task_ended),
         "an event behind the stop was handled before the end of the task");
  must_precede_callbacks(ctx, w.stamp_of(exit_step::queue_drained), w.thread());
  return 0;
}

// A listener that throws keeps neither the others from being called nor its thread from going on.
int listener_throws(event_context& ctx) {
  std::atomic<int> reported{0};
  std::atomic<int> after{0};
  staged_worker w(ctx,
                  [&] {
                    ctx.attach(some);
                    this_worker::listen(workers::events::listener_error,
                                        [&](const workers::event& /*e*/) { ++reported; });
                    this_worker::wait_event("last");
                    ctx.attach(some);
                    if (ctx.ran() != 0) ctx.record_misordered();
                  },
                  {.report_errors = false});
  w->listen("bad", [&ctx](const workers::event& /*e*/) {
    ctx.attach();
    if (ctx.condition() == 0) throw std::runtime_error("from a listener");
    throw not_an_exception{};
  });
  w->listen("bad", [&](const workers::event& /*e*/) { ++after; });
  w->start();
  for (int i = 0; i != 3; ++i) w->fire("bad");
  w->invoke([&] { w->fire("last"); });  // comes after the reports of listener_error
  w.join();
  expect(ctx, after.load() == 3, "a listener that throws kept another from being called");
  expect(ctx, reported.load() == 3, "a listener's exception was not reported to the worker");
  return 0;
}

// A weak reference to the worker's thread. In callbacks it must say that the thread is dead.
std::function<bool()> watch;

void must_read_dead(event_context& ctx) {
  if (watch != nullptr && watch())
    ctx.record_violation("a weak reference says in a callback that its thread is alive");
}

// The order must be: all steps of the end, then the callbacks, newest first, then the join.
int in_full(event_context& ctx) {
  staged_worker child(ctx, [&ctx] {
    ctx.attach(some);
    this_worker::wait_forever();
  });
  staged_worker w(ctx, [&] {
    w->adopt(child.it());
    child->start();
    if (ctx.subject.watch != nullptr) watch = ctx.subject.watch();
    ctx.attach(some, &must_read_dead);
    if (ctx.condition() == 0) return;
    if (ctx.condition() == 1) this_worker::exit();
    if (ctx.condition() == 2) throw std::runtime_error("from a task");
    this_worker::wait_forever();
  });
  w->start();
  if (ctx.condition() == 3) w->stop();
  w.join();
  const std::uint32_t joined = ctx.stamp();
  child.join();
  std::uint32_t before = 0;
  for (int i = 0; i != static_cast<int>(exit_step::left) + 1; ++i) {
    const std::uint32_t at = w.stamp_of(static_cast<exit_step>(i));
    expect(ctx, at > before, "a step of a worker's end is missing, or came too soon");
    before = at;
  }
  must_precede_callbacks(ctx, before, w.thread());
  ctx.expect_newest_first(w.thread());
  must_precede(ctx, child.thread(), w.thread());
  if (callbacks_of(ctx, w.thread()).last >= joined) ctx.record_misordered();
  return 0;
}

constexpr event rows[] = {
    // Shows: PW-06.
    {.name = "worker/exit_by_exception",
     .asks = "do callbacks wait until what ends a worker has left all of its frames?",
     .run = &exit_by_exception,
     .conditions = {{{"one frame"}, {"10 frames"}, {"100 frames"}, {"swallowed on its way"}}}},
    // Shows: PW-07.
    {.name = "worker/exit_now",
     .asks = "do they run when a worker calls exit()?",
     .run = &exits_now,
     .conditions =
         {{{"under calls"}, {"in a listener"}, {"in a call that it was sent"}, {"main's own"}}}},
    // Shows: PW-14.
    {.name = "worker/crash",
     .asks = "do they when a worker's task throws, and after its error is known?",
     .run = &crashes,
     .conditions = {{{"a std::exception"}, {"another type"}}}},
    // Shows: PW-49.
    {.name = "worker/guard_vs_finalizer",
     .asks = "do they run after what the worker has on its stack?",
     .run = &guard_and_callback,
     .conditions = {{{"it returns"}, {"it exits"}, {"it throws"}, {"it is stopped"}}}},
    // Shows: PW-08.
    {.name = "worker/drain_after_stop",
     .asks = "do those that its events register run, which wait behind its stop?",
     .run = &drains,
     .conditions = {{{"one event"}, {"200 events"}}}},
    // Shows: PW-30.
    {.name = "worker/listener_error",
     .asks = "do they wait for the end of a worker whose listeners throw?",
     .run = &listener_throws,
     .conditions = {{{"a std::exception"}, {"another type"}}}},
    // Shows: PW-48.
    {.name = "worker/full_exit_sequence",
     .asks = "do they run after all steps of a worker's end, and before its join?",
     .run = &in_full,
     .conditions = {{{"it returns"}, {"it exits"}, {"it throws"}, {"it is stopped"}}}},
};

}  // namespace
}  // namespace of_worker_ends

std::span<const event> worker_ends_events() {
  return of_worker_ends::rows;
}

}  // namespace threadref::stress
