// SPDX-License-Identifier: MIT
// How a process ends, and whose callbacks run then. What the callbacks find there is in
// process_stage.cpp.
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <utility>

#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/model/events.hpp"
#include "testing/check.hpp"
#include "testing/gate.hpp"
#include "threadref/config.hpp"

namespace threadref::stress {

namespace of_process {
namespace {

constexpr int some = 8;  // callbacks of a thread

[[noreturn]] void block_for_ever() {
  for (;;) pause();
}

// Nobody joins the thread. What the body refers to must never be destroyed.
void start_detached(event_context& ctx, std::function<void()> body) {
  posix_thread made(ctx, std::move(body));
  made.detach();
}

// A thread without callbacks that is alive when the process ends.
void start_bystander(event_context& ctx) {
  start_detached(ctx, [] { block_for_ever(); });
}

// Under the last condition of some rows the status is not 0.
int status_of(event_context& ctx) {
  const int status = ctx.condition() == 2 ? 7 : 0;
  ctx.will_exit_with(status);
  return status;
}

int main_returns(event_context& ctx) {
  ctx.attach(some);
  if (ctx.condition() == 1) start_bystander(ctx);
  return status_of(ctx);
}

int main_exits(event_context& ctx) {
  std::exit(main_returns(ctx));
}

int main_pthread_exits(event_context& ctx) {
  if (ctx.condition() == 1) {
    if (detail::under_tsan) {
      ctx.record_absent("under ThreadSanitizer it never ends while another thread lives");
      return 0;
    }
    start_detached(ctx, [&ctx, main = pthread_self(), number = ctx.thread()] {
      THREADREF_CHECK_CALL(pthread_join(main, nullptr));
      ctx.note_joined(number);
    });
  }
  ctx.attach(some);
  pthread_exit(nullptr);
}

int worker_exits(event_context& ctx) {
  const bool main_goes = ctx.condition() == 1;
  if (main_goes && detail::under_tsan) {
    ctx.record_absent(
        "under ThreadSanitizer pthread_exit() on main never ends while another thread lives");
    return 0;
  }
  start_detached(ctx, [&ctx, main_goes, main = pthread_self()] {
    if (main_goes) THREADREF_CHECK_CALL(pthread_join(main, nullptr));
    ctx.attach(some);
    std::exit(status_of(ctx));
  });
  if (main_goes) pthread_exit(nullptr);
  block_for_ever();
}

int worker_exits_beside_main(event_context& ctx) {
  ctx.attach(some);
  start_detached(ctx, [] { std::exit(0); });
  block_for_ever();
}

// A mechanism that takes a key for each value has at most 1,024 callbacks in a process.
constexpr std::uint32_t max_of_workers = 300;

void register_on_and_on(event_context& ctx) {
  for (std::uint32_t i = 0; i != max_of_workers; ++i) {
    ctx.attach();
    sched_yield();
  }
  block_for_ever();
}

void come_and_go(event_context& ctx) {
  for (std::uint32_t i = 0; i != max_of_workers; ++i) on_new_thread(ctx, [&ctx] { ctx.attach(); });
  block_for_ever();
}

// One worker waits, and so loses its callbacks. Under the other conditions a second worker is busy,
// and the end of the process meets it anywhere.
int workers_still_run(event_context& ctx) {
  static testing::gate ready;
  start_detached(ctx, [&ctx] {
    ctx.attach(some);
    ready.open();
    block_for_ever();
  });
  ready.wait();
  if (ctx.condition() != 0) {
    start_detached(ctx,
                   [&ctx] { ctx.condition() == 1 ? register_on_and_on(ctx) : come_and_go(ctx); });
    const std::uint32_t enough = some + draw(ctx.choices, 1U, max_of_workers);
    while (ctx.record().used.load() < enough) sched_yield();
  }
  return 0;
}

[[noreturn]] void end_by_exit(event_context& ctx) {
  ctx.will_exit_with(5);
  std::exit(5);
}

int exits_in_a_callback(event_context& ctx) {
  const auto attach_all = [&ctx] {
    ctx.attach(some / 2);
    ctx.attach([](event_context& in) { end_by_exit(in); });
    ctx.attach(some / 2);
  };
  if (ctx.condition() == 0) {
    attach_all();
    return 0;
  }
  on_new_thread(ctx, [&] {
    attach_all();
    if (ctx.condition() == 2) std::exit(0);
  });
  return 0;
}

// These ends of a process run no code but at_quick_exit() handlers. No mechanism here uses those:
// one that did would have another outcome.
int ends_abruptly(event_context& ctx) {
  ctx.attach(some);
  switch (ctx.condition()) {
    case 0:
      _exit(0);
    case 1:
      std::quick_exit(0);
    case 2:
      start_bystander(ctx);
      std::quick_exit(0);
    case 3:
      ctx.will_die_by(SIGABRT);
      std::abort();
    default:
      ctx.will_die_by(SIGKILL);
      raise(SIGKILL);
  }
  return 0;
}

// For a thread that may be cut off among its callbacks: losing this callback is no fault.
void attach_unconfirmed(event_context& ctx) {
  ctx.subject.attach(ctx.begin_attach().what);
}

// Some threads are inside a callback when the process begins to end, and return from it meanwhile.
int threads_are_in_callbacks(event_context& ctx) {
  static std::array<posix_thread*, 3> threads;
  static std::atomic<std::size_t> inside{0};
  static testing::gate ending;
  for (posix_thread*& t : threads) {
    t = new posix_thread(ctx, [&ctx] {
      attach_unconfirmed(ctx);
      ctx.attach([](event_context& /*in*/) {
        ++inside;
        ending.wait();
      });
      attach_unconfirmed(ctx);
    });
  }
  // With a mechanism that calls nothing at the end of a thread, the threads just end.
  const auto over = [](posix_thread* t) { return t->try_join(); };
  while (inside.load() != threads.size() && !std::all_of(threads.begin(), threads.end(), over))
    sched_yield();
  ending.open();
  for (volatile std::uint32_t left = draw(ctx.choices, 0U, 20'000U); left != 0;) left = left - 1;
  if (ctx.condition() == 0) return 0;
  start_detached(ctx, [] { std::exit(0); });
  block_for_ever();
}

// While main is inside exit(), a worker calls it too: glibc before 2.41 lets both run the functions
// that are left, and the first that is done ends the process.
int two_threads_exit(event_context& ctx) {
  static testing::gate ready;
  static testing::gate main_ends;
  start_detached(ctx, [&ctx] {
    ctx.attach(some);
    ready.open();
    main_ends.wait();
    std::exit(0);
  });
  ready.wait();
  ctx.attach(some / 2);
  ctx.attach([](event_context&) {
    main_ends.open();
    usleep(200'000);
  });
  ctx.attach(some / 2);
  return 0;
}

constexpr event rows[] = {
    {.name = "process/main_returns",
     .asks = "do main's callbacks run when it returns?",
     .run = &main_returns,
     .conditions = {{{"alone"}, {"beside a worker"}, {"with a status of 7"}}},
     .checks = "73, 86",
     .bugs = {22}},
    {.name = "process/main_calls_exit",
     .asks = "do main's callbacks run when it calls exit()?",
     .run = &main_exits,
     .conditions = {{{"alone"}, {"beside a worker"}, {"with a status of 7"}}},
     .checks = "74, 86",
     .bugs = {22}},
    {.name = "process/main_calls_pthread_exit",
     .asks = "do main's callbacks run when it calls pthread_exit()?",
     .run = &main_pthread_exits,
     .conditions = {{{"alone"}, {"before a worker ends"}}},
     .checks = "75",
     .bugs = {22}},
    {.name = "process/worker_calls_exit",
     .asks = "do a worker's callbacks run when it calls exit()?",
     .run = &worker_exits,
     .conditions = {{{"main waits"}, {"main called pthread_exit()"}, {"with a status of 7"}}},
     .checks = "76, 86"},
    {.name = "process/worker_calls_exit_beside_main",
     .asks = "do main's callbacks run when a worker calls exit()?",
     .run = &worker_exits_beside_main,
     .checks = "76",
     .promise = outcome::lost},
    // Differs: F-21: C++ waits for no thread when main returns; to wait for one, join it.
    // Shows: PM-05.
    {.name = "process/workers_still_run",
     .asks = "do workers' callbacks run when main returns while they run?",
     .run = &workers_still_run,
     .conditions = {{{"they wait"}, {"they register on and on"}, {"they come and go"}}},
     .checks = "76, 81",
     .bugs = {22},
     .promise = outcome::lost},
    {.name = "process/exit_in_callback",
     .asks = "do the others still run when a callback calls exit()?",
     .run = &exits_in_a_callback,
     .conditions = {{{"main returned"}, {"a worker ended"}, {"a worker called exit()"}}},
     .checks = "77"},
    {.name = "process/two_threads_exit",
     .asks =
         "do all callbacks run of main, which returned, and of a worker that calls exit() then?",
     .run = &two_threads_exit,
     .checks = "76",
     .promise = outcome::lost},
    {.name = "process/abrupt_end",
     .asks = "do main's callbacks run when the process ends without a word?",
     .run = &ends_abruptly,
     .conditions = {{{"_exit()"},
                     {"quick_exit()"},
                     {"quick_exit() beside a worker"},
                     {"abort()"},
                     {"SIGKILL"}}},
     .checks = "78",
     .bugs = {22},
     .promise = outcome::lost},
    {.name = "process/threads_in_callbacks",
     .asks = "is all well with threads inside a callback when the process ends?",
     .run = &threads_are_in_callbacks,
     .conditions = {{{"main returns"}, {"another worker calls exit()"}}},
     .checks = "79",
     .bugs = {23}},
};

}  // namespace
}  // namespace of_process

std::span<const event> process_events() {
  return of_process::rows;
}

}  // namespace threadref::stress
