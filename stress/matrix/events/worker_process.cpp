// SPDX-License-Identifier: MIT
// Workers that still run when their creator, or the whole process, ends.
#include <atomic>
#include <optional>

#include "stress/matrix/child/staged_worker.hpp"
#include "stress/matrix/model/events.hpp"
#include "testing/gate.hpp"
#include "workers/this_worker.hpp"

namespace threadref::stress {

namespace of_worker_process {
namespace {

namespace this_worker = workers::this_worker;

constexpr int some = 8;  // callbacks of a thread

// Starts a worker that is never destroyed: it may still run when the process ends.
staged_worker& start_leaked(event_context& ctx, workers::worker_options how, void (*then)()) {
  static testing::gate ready;
  auto* const w = new staged_worker(
      ctx,
      [&ctx, then] {
        ctx.attach(some);
        ready.open();
        then();
      },
      std::move(how));
  (*w)->start();
  ready.wait();
  return *w;
}

// Main's own worker stops its children and waits for them, as any parent does.
int main_has_children(event_context& ctx) {
  start_leaked(ctx, {.parent = this_worker::current_or_root()},
               [] { this_worker::wait_forever(); });
  return 0;
}

testing::gate go_on;

// The daemon sees the stop only when its parent has ended: a parent that waited for it would wait
// for ever.
int stopped_and_not_waited_for(event_context& ctx) {
  std::optional<staged_worker> daemon;
  testing::gate ready;
  staged_worker parent(ctx, [&] {
    ctx.attach(some);
    daemon.emplace(
        ctx,
        [&] {
          ctx.attach(some);
          ready.open();
          go_on.wait();
          this_worker::wait_forever();
        },
        workers::worker_options{.daemon = true});
    (*daemon)->start();
    ready.wait();
  });
  parent->start();
  parent.join();
  expect(ctx, (*daemon)->is_running(), "a daemon ended before it looked for a stop");
  go_on.open();
  daemon->join();  // its parent has stopped it
  return 0;
}

// The worker blocks, so it never sees a stop, and the process does not wait for it.
int left_running(event_context& ctx) {
  workers::worker_options how;
  if (ctx.condition() == 0) how = {.daemon = true, .parent = this_worker::current_or_root()};
  if (ctx.condition() == 1) how = {.parent = nullptr};
  start_leaked(ctx, std::move(how), [] { go_on.wait(); });
  return 0;
}

constexpr event rows[] = {
    // Shows: PW-17.
    // Differs: PW-18: main's own worker can be a parent, and then its children are stopped and
    // joined when the process ends, so that it does not hang.
    {.name = "worker/children_of_main",
     .asks = "do callbacks of main's children run when the process ends?",
     .run = &main_has_children},
    // Shows: PW-13, PW-17.
    {.name = "worker/daemon_stopped",
     .asks = "do those of a daemon, which is stopped by its parent's end and not waited for?",
     .run = &stopped_and_not_waited_for},
    // Shows: PW-13.
    // Differs: PW-18: a worker that is left running, daemon or not, does not keep the process from
    // its end, and what it has registered is lost.
    {.name = "worker/left_running",
     .asks = "do those of a worker that blocks when the process ends?",
     .run = &left_running,
     .conditions = {{{"a daemon of main's"}, {"one without a parent"}}},
     .promise = outcome::lost},
};

}  // namespace
}  // namespace of_worker_process

std::span<const event> worker_process_events() {
  return of_worker_process::rows;
}

}  // namespace threadref::stress
