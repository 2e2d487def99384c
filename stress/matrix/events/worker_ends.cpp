// SPDX-License-Identifier: MIT
// How workers end: by themselves, by an exception, among their events.
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

// What a thread has on its stack goes before all of its callbacks.
class guard {
 public:
  guard(event_context& ctx, std::atomic<int>& gone) noexcept : ctx_(ctx), gone_(gone) {}
  ~guard() {
    if (ctx_.ran() != 0) ctx_.record_misordered();
    ++gone_;
  }
  guard(const guard&) = delete;
  guard& operator=(const guard&) = delete;

 private:
  event_context& ctx_;
  std::atomic<int>& gone_;
};

struct fall {
  event_context& ctx;
  std::atomic<int>& gone;
  std::function<void()> at_the_bottom;
  void from(int frames) {
    const guard frame(ctx, gone);
    if (frames > 1) return from(frames - 1);
    at_the_bottom();
  }
};

// Through frames that have something to destroy, and that catch what is an error.
int exit_by_exception(event_context& ctx) {
  constexpr std::array<int, 4> frames{1, 10, 100, 100};
  const bool swallowed = ctx.condition() == 3;
  std::atomic<int> gone{0};
  bool went_on = false;
  staged_worker w(ctx, [&] {
    ctx.attach(some);
    fall all{ctx, gone, [] { throw workers::worker_exit{}; }};
    try {
      all.from(frames[ctx.condition()]);
    } catch (const std::exception&) {
      ctx.record_violation("what ends a worker was taken for an error");
    } catch (const workers::worker_exit&) {
      if (!swallowed) throw;
    }
    went_on = true;
    ctx.attach(some);
    if (ctx.ran() != 0) ctx.record_misordered();
  });
  w->start();
  w.join();
  expect(ctx, gone.load() == frames[ctx.condition()], "a frame was not left");
  expect(ctx, went_on == swallowed, "a worker went on or not, and should not or should have");
  expect(ctx, w->error() == nullptr, "an exit was taken for an error");
  return 0;
}

// Main's own worker has no thread that it could leave: its children are ended, and it goes on.
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
  std::atomic<int> gone{0};
  staged_worker w(ctx, [&] {
    ctx.attach(some);
    if (ctx.condition() == 0) {
      fall deep{ctx, gone, [] { this_worker::exit(); }};
      deep.from(10);
    }
    this_worker::wait_forever();
  });
  w->listen("leave", [](const workers::event& /*e*/) { this_worker::exit(); });
  w->start();
  if (ctx.condition() == 1) w->fire("leave");
  if (ctx.condition() == 2) w->invoke([] { this_worker::exit(); });
  w.join();
  expect(ctx, gone.load() == (ctx.condition() == 0 ? 10 : 0), "a frame was not left");
  return 0;
}

// Its error is known before its callbacks run: the newest of them waits until it was seen.
testing::gate seen;

int crashes(event_context& ctx) {
  std::atomic<int> gone{0};
  staged_worker w(ctx,
                  [&] {
                    ctx.attach(some);
                    ctx.attach([](event_context& /*in*/) { seen.wait(); });
                    fall deep{ctx, gone, [&ctx] {
                                if (ctx.condition() == 0) throw std::runtime_error("from a task");
                                throw not_an_exception{};
                              }};
                    deep.from(10);
                  },
                  {.report_errors = ctx.condition() == 0});
  w->start();
  const std::optional<workers::outcome> got = this_worker::wait_thread(w.it());
  expect(ctx, got.has_value() && got->error != nullptr && got->error == w->error(),
         "the error of a task is not told to those that wait for it");
  seen.open();
  w.join();
  expect(ctx, gone.load() == 10, "a frame was not left");
  must_precede_callbacks(ctx, w.stamp_of(exit_step::task_ended), w.thread());
  return 0;
}

// The same deed on the stack and as a callback, however the worker ends.
int guard_and_callback(event_context& ctx) {
  std::atomic<int> gone{0};
  staged_worker w(ctx, [&] {
    const guard before(ctx, gone);
    ctx.attach();
    const guard after(ctx, gone);
    if (ctx.condition() == 0) return;
    if (ctx.condition() == 1) this_worker::exit();
    if (ctx.condition() == 2) throw std::runtime_error("from a task");
    this_worker::wait_forever();
  });
  w->start();
  w->stop();
  w.join();
  expect(ctx, gone.load() == 2, "a frame was not left");
  return 0;
}

// Stopped while it handles an event. What was sent before the stop is handled before its task ends,
// what was sent behind it after that, and what those register runs all the same.
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
  w->stop();  // one more in the drain ends nothing
  go_on.open();
  w.join();
  expect(ctx, handled.load() == behind, "not all that was sent was handled");
  expect(ctx, ahead_at.load() < w.stamp_of(exit_step::task_ended), "it was stopped too soon");
  expect(ctx, behind_at.load() > w.stamp_of(exit_step::task_ended), "it was stopped too late");
  must_precede_callbacks(ctx, w.stamp_of(exit_step::queue_drained), w.thread());
  return 0;
}

// A listener that throws costs neither the others, nor its thread.
int listener_throws(event_context& ctx) {
  std::atomic<int> told{0};
  std::atomic<int> after{0};
  staged_worker w(ctx,
                  [&] {
                    ctx.attach(some);
                    this_worker::listen(workers::events::listener_error,
                                        [&](const workers::event& /*e*/) { ++told; });
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
  w->invoke([&] { w->fire("last"); });  // behind what it tells itself of them
  w.join();
  expect(ctx, after.load() == 3, "a listener that throws kept another from being called");
  expect(ctx, told.load() == 3, "a worker is not told of each listener that throws");
  return 0;
}

// A weak reference to the worker's thread, which none of its callbacks may find alive.
std::function<bool()> watch;

void look_at_it(event_context& ctx) {
  if (watch != nullptr && watch())
    ctx.record_violation("a weak reference reads alive in a callback");
}

// All steps of an end in their order, then the callbacks, newest first, then the join.
int in_full(event_context& ctx) {
  staged_worker child(ctx, [&ctx] {
    ctx.attach(some);
    this_worker::wait_forever();
  });
  staged_worker w(ctx, [&] {
    w->adopt(child.it());
    child->start();
    if (ctx.subject.watch != nullptr) watch = ctx.subject.watch();
    ctx.attach(some, &look_at_it);
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
    expect(ctx, at > before, "a step of a worker's end is missing, or comes too soon");
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
