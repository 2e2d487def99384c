// SPDX-License-Identifier: MIT
// What threads wait for: a delay, an event, a resource, a permit. Callbacks provide them, or run on
// the threads that do.
#include <absl/strings/str_cat.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/model/events.hpp"
#include "testing/gate.hpp"
#include "workers/active_pool.hpp"
#include "workers/names.hpp"
#include "workers/timer.hpp"

namespace threadref::stress {

namespace of_threading_waits {
namespace {

using namespace std::chrono_literals;
using workers::timer;

constexpr int some = 8;  // callbacks of a thread

// --- Timers. Each is a thread, whose callbacks run whether its function was called or not.

class watched_timer {
 public:
  watched_timer(event_context& ctx, timer::clock::duration delay)
      : ctx_(ctx), timer_(delay, [this] { called(); }, {.on_start = [this] { begin(); }}) {}
  bool cancel() { return timer_.cancel(); }
  void join() {
    timer_.join();
    ctx_.note_joined(number_);
  }
  [[nodiscard]] int calls() const { return calls_; }

 private:
  void begin() {
    number_ = ctx_.thread();
    ctx_.attach(some);
  }
  void called() {
    ++calls_;
    if (ctx_.thread() != number_)
      ctx_.record_violation("a timer called its function on another thread");
    ctx_.attach();
  }
  event_context& ctx_;
  std::uint32_t number_ = 0;
  int calls_ = 0;
  timer timer_;  // last: it uses the others
};

int timer_fires(event_context& ctx) {
  std::vector<std::unique_ptr<watched_timer>> all;
  for (int i = 0; i != ctx.size(200); ++i)
    all.push_back(std::make_unique<watched_timer>(ctx, std::chrono::microseconds(50 * i)));
  for (const auto& t : all) {
    t->join();
    if (t->calls() != 1) ctx.record_violation("a timer did not call its function once");
  }
  return 0;
}

int timer_is_cancelled(event_context& ctx) {
  const bool long_before = ctx.condition() == 0;
  for (int i = 0; i != ctx.size(200); ++i) {
    const bool cancels = !long_before || i % 2 == 0;
    timer::clock::duration delay = 0s;
    if (cancels && long_before) delay = 24h;
    if (!long_before) delay = std::chrono::microseconds(draw(ctx.choices, 0, 200));
    watched_timer t(ctx, delay);
    const bool in_time = cancels && t.cancel();
    if (cancels && long_before && !in_time) ctx.record_violation("a timer was not cancelled");
    t.join();
    if (t.calls() != (in_time ? 0 : 1))
      ctx.record_violation(
          "a timer called its function although its cancellation succeeded, or did not although it "
          "failed");
  }
  return 0;
}

// --- Events that a callback sets.

std::atomic<bool> has_set{false};
testing::gate set_by_callback;

int event_wait(event_context& ctx) {
  if (!has_exit_hook(ctx)) return 0;
  std::atomic<int> waiting{0};
  const auto wait = [&] {
    ++waiting;
    ctx.attach();
    set_by_callback.wait();
    if (!has_set.load()) ctx.record_violation("a waiter was woken before the event");
  };
  posix_thread one(ctx, wait);
  posix_thread other(ctx, wait);
  while (waiting.load() != 2) sched_yield();
  on_new_thread(ctx, [&] {
    ctx.attach(some);
    ctx.attach([](event_context& /*in*/) {
      has_set.store(true);
      set_by_callback.open();
    });
    ctx.attach(some);
  });
  // If the callback was lost, the waiters must not wait for ever.
  if (!has_set.exchange(true)) set_by_callback.open();
  one.join();
  other.join();
  return 0;
}

// Leaked: callbacks may run after everything else.
struct flag_and_condition {
  std::mutex m;
  std::condition_variable changed;
  bool is_set = false;
  void set() {
    const std::lock_guard lock(m);
    is_set = true;
    changed.notify_all();
  }
  bool wait_for(std::chrono::steady_clock::duration how_long) {
    std::unique_lock lock(m);
    return changed.wait_for(lock, how_long, [this] { return is_set; });
  }
  void wait() {
    std::unique_lock lock(m);
    changed.wait(lock, [this] { return is_set; });
  }
};
auto& flag = *new flag_and_condition;

testing::gate may_set;

int event_timeout(event_context& ctx) {
  if (!has_exit_hook(ctx)) return 0;
  std::atomic<bool> begun{false};
  posix_thread t(ctx, [&] {
    ctx.attach(some);
    ctx.attach([](event_context& /*in*/) {
      may_set.wait();
      flag.set();
    });
    ctx.attach(some);
    begun.store(true);
  });
  while (!begun.load()) sched_yield();
  if (flag.wait_for(5ms)) ctx.record_violation("a waiter saw an event that was not set");
  may_set.open();
  t.join();
  if (!flag.wait_for(0s))
    ctx.record_violation("an event that a callback set is not seen after the join");
  return 0;
}

// --- A resource that two threads wait for, and a third publishes as it ends.

std::atomic<bool> published{false};
std::atomic<int> consumed{0};
void publish(event_context& /*in*/) {
  published.store(true);
  flag.set();
}
// A callback that runs after the resource was published gives the waiters the time to see it.
void wait_for_consumers(event_context& /*in*/) {
  for (int i = 0; published.load() && i != 100 && consumed.load() != 2; ++i) usleep(1'000);
}

int condition_at_exit(event_context& ctx) {
  if (!has_exit_hook(ctx)) return 0;
  const bool by_the_library = ctx.condition() == 1;
  std::atomic<std::uint32_t> producer{0};
  // When the waiter wakes up, all callbacks of the producer must have run.
  const auto consume = [&] {
    ctx.attach();
    flag.wait();
    ctx.note_joined(producer.load());
    ++consumed;
  };
  posix_thread one(ctx, consume);
  posix_thread other(ctx, consume);
  on_new_thread(ctx, [&] {
    producer.store(ctx.thread());
    if (!by_the_library) ctx.attach(&publish);
    ctx.attach(some, &wait_for_consumers);
    if (!by_the_library) return;
    std::unique_lock lock(flag.m);
    flag.is_set = true;
    std::notify_all_at_thread_exit(flag.changed, std::move(lock));
  });
  flag.set();  // if the callback was lost, the consumers must not wait for ever
  one.join();
  other.join();
  return 0;
}

// --- A pool with five permits.

constexpr int permits = 5;
auto& pool = *new workers::active_pool(permits);
std::atomic<int> arrived{0};
std::atomic<int> inside{0};

void give_back(event_context& in) {
  --inside;
  if (!pool.leave(workers::this_thread_name()))
    in.record_violation("a thread gave back a permit that it did not have");
}

int five_at_a_time(event_context& ctx) {
  if (!has_exit_hook(ctx)) return 0;
  std::vector<std::unique_ptr<posix_thread>> all;
  const int threads = ctx.condition() == 0 ? 20 : ctx.size(2'000);
  for (int i = 0; i != threads; ++i) {
    all.push_back(std::make_unique<posix_thread>(ctx, [&ctx, threads, i] {
      ++arrived;
      workers::name_this_thread(absl::StrCat("pooled-", i));
      pool.enter(workers::this_thread_name());
      if (++inside > permits)
        ctx.record_violation("more threads are inside than there are permits");
      if (!ctx.attach(&give_back)) give_back(ctx);
      // No thread leaves before all have arrived, so that all permits are in use.
      while (arrived.load() != threads) sched_yield();
    }));
  }
  for (const auto& t : all) t->join();
  if (!pool.active().empty()) ctx.record_violation("a thread that ended still has a permit");
  return 0;
}

constexpr event rows[] = {
    // Shows: PM-10.
    {.name = "threading/timer_fire",
     .asks = "do callbacks of a timer's thread run, those too that its function registers?",
     .run = &timer_fires},
    // Shows: PM-11.
    {.name = "threading/timer_cancel",
     .asks = "do they when the timer is cancelled, and is its function then never called?",
     .run = &timer_is_cancelled,
     .conditions = {{{"every second one, long before"}, {"at the last moment"}}}},
    // Shows: PM-12.
    {.name = "threading/event_wait",
     .asks = "can a callback set the event that others wait for?",
     .run = &event_wait,
     .checks = "113"},
    // Shows: PM-13.
    {.name = "threading/event_timeout",
     .asks = "is it not yet set for whoever gives up before the callback has come?",
     .run = &event_timeout},
    // Shows: PM-20.
    {.name = "threading/condition_exit",
     .asks = "have a producer's callbacks run when its exit wakes those that wait for it?",
     .run = &condition_at_exit,
     .conditions = {{{"woken by the oldest callback"}, {"by notify_all_at_thread_exit()"}}},
     .checks = "36, 113"},
    // Shows: PM-21.
    {.name = "threading/active_pool",
     .asks = "can callbacks give back permits, so that never more than five threads have one?",
     .run = &five_at_a_time,
     .conditions = {{{"20 threads"}, {"2 000 threads"}}}},
};

}  // namespace
}  // namespace of_threading_waits

std::span<const event> threading_waits_events() {
  return of_threading_waits::rows;
}

}  // namespace threadref::stress
