// SPDX-License-Identifier: MIT
// Do the callbacks of a thread run before or after get() of its future returns?
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

#include "stress/matrix/model/events.hpp"

namespace threadref::stress {

namespace of_result {
namespace {

constexpr int some = 8;  // callbacks of a thread

std::atomic<std::uint32_t> number{0};  // of the thread
std::atomic<bool> got{false};

// The first callback that runs gives the waiter the time to see the result.
void wait_for_reader(event_context& /*in*/) {
  static std::atomic<bool> first{true};
  if (!first.exchange(false)) return;
  for (int i = 0; i != 100 && !got.load(); ++i) usleep(1'000);
}

void attach_waiting(event_context& ctx) {
  number.store(ctx.thread());
  for (int i = 0; i != some; ++i) ctx.attach(&wait_for_reader);
}

// Callbacks that run after get() has returned are late.
void get_result(event_context& ctx, std::future<void> done) {
  done.get();
  ctx.note_joined(number.load());
  got.store(true);
}

int reads_async_result(event_context& ctx) {
  get_result(ctx, std::async(std::launch::async, [&ctx] { attach_waiting(ctx); }));
  return 0;
}

int reads_task_result(event_context& ctx) {
  std::packaged_task<void()> task([&ctx] { attach_waiting(ctx); });
  std::future<void> done = task.get_future();
  std::thread t(std::move(task));
  get_result(ctx, std::move(done));
  t.join();
  return 0;
}

int reads_result_at_exit(event_context& ctx) {
  std::promise<void> p;
  std::future<void> done = p.get_future();
  std::thread t([&] {
    if (ctx.condition() == 1) p.set_value_at_thread_exit();
    attach_waiting(ctx);
    if (ctx.condition() == 0) p.set_value_at_thread_exit();
  });
  get_result(ctx, std::move(done));
  t.join();
  return 0;
}

constexpr event rows[] = {
    {.name = "result/async",
     .asks = "have callbacks run when get() of a future of std::async returns?",
     .run = &reads_async_result,
     .checks = "67"},
    {.name = "result/packaged_task",
     .asks = "have they run when get() of a packaged_task's future returns?",
     .run = &reads_task_result,
     .checks = "67",
     .promise = outcome::misplaced},
    {.name = "result/at_thread_exit",
     .asks = "have they when get() of what set_value_at_thread_exit() gave returns?",
     .run = &reads_result_at_exit,
     .conditions = {{{"given after registering"}, {"given before"}}},
     .checks = "36, 67",
     .not_under_tsan = "the C++ library makes the result ready in code that it does not see"},
};

}  // namespace
}  // namespace of_result

std::span<const event> result_events() {
  return of_result::rows;
}

}  // namespace threadref::stress
