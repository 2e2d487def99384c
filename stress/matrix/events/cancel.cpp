// SPDX-License-Identifier: MIT
// Threads that are cancelled. Asynchronous cancellation is left out: like nearly every function,
// the library does not support it.
#include <pthread.h>
#include <unistd.h>

#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/model/events.hpp"
#include "testing/gate.hpp"

namespace threadref::stress {

namespace of_cancel {
namespace {

constexpr int some = 8;  // callbacks of a thread

// Static: callbacks use them when the body's frames are gone.
testing::gate ready;
testing::gate cancelled;

void wait_under(int frames) {
  if (frames != 0) return wait_under(frames - 1);
  while (pause() == -1) continue;
}

int in_the_body(event_context& ctx) {
  posix_thread t(ctx, [&ctx] {
    ctx.attach(some);
    ready.open();
    wait_under(ctx.condition() == 0 ? 0 : 100);
  });
  ready.wait();
  pthread_cancel(t.id());
  t.join();
  return 0;
}

// What a callback does after a cancellation point counts as a callback of its own: it may be cut
// off there.
void attach_halves(event_context& ctx) {
  static event_context::attempt tried;
  ctx.attach(some / 2);
  tried = ctx.begin_attach();
  event_context::end_attach(tried, ctx.attach([](event_context& /*in*/) {
    if (!ready.is_open()) ready.open();
    cancelled.wait();
    pthread_testcancel();
    tried.what.run(tried.what.with);
  }));
  ctx.attach(some / 2);
}

int pending(event_context& ctx) {
  posix_thread t(ctx, [&ctx] {
    attach_halves(ctx);
    ready.open();
    cancelled.wait();
  });
  ready.wait();
  pthread_cancel(t.id());
  cancelled.open();
  t.join();
  return 0;
}

int during_a_callback(event_context& ctx) {
  kernel_end end;
  testing::gate begun;
  posix_thread t(ctx, [&] {
    end.begin();
    begun.open();
    attach_halves(ctx);
  });
  begun.wait();
  // If no callback ever runs, the thread ends without opening the gate, so that this one opens it.
  const posix_thread if_lost(ctx, [&end] {
    end.wait();
    ready.open();
  });
  ready.wait();
  pthread_cancel(t.id());
  cancelled.open();
  t.join();
  return 0;
}

constexpr event rows[] = {
    {.name = "cancel/in_the_body",
     .asks = "do callbacks run when a thread is cancelled at a cancellation point?",
     .run = &in_the_body,
     .conditions = {{{"at once"}, {"under 100 frames"}}},
     .checks = "63"},
    {.name = "cancel/pending",
     .asks = "do they all, to their end, if cancelled before the body returned, and one has a "
             "cancellation point?",
     .run = &pending,
     .checks = "63"},
    {.name = "cancel/in_callback",
     .asks = "do they all, to their end, if the thread is cancelled while one runs?",
     .run = &during_a_callback,
     .checks = "63"},
};

}  // namespace
}  // namespace of_cancel

std::span<const event> cancel_events() {
  return of_cancel::rows;
}

}  // namespace threadref::stress
