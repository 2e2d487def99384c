// SPDX-License-Identifier: MIT
// Threads that belong to other libraries: workers of pools, which end in order or are cut off.
#include <sched.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <iterator>
#include <vector>

#include "stress/matrix/child/loaded.hpp"
#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/model/events.hpp"
#include "stress/modules/modules.hpp"
#include "testing/check.hpp"
#include "threadref/config.hpp"
#include "workers/worker_pool.hpp"

namespace threadref::stress {

namespace of_env_pools {
namespace {

constexpr int workers = 4;
constexpr int some = 4;  // callbacks of a worker

// Shared by the event and its tasks.
struct visit {
  event_context& ctx;
  std::atomic<int> came{0};
  std::atomic<int> ready{0};
  std::atomic<std::uint32_t> numbers[workers] = {};
};
constinit thread_local bool visited = false;

// A task. It stays a little, so that the next task goes to another worker.
void register_here(void* shared) {
  auto& v = *static_cast<visit*>(shared);
  if (!visited) {
    const int me = v.came.fetch_add(1);
    if (me >= workers) return;
    visited = true;
    v.numbers[me].store(v.ctx.thread());
    v.ctx.attach(some);
    v.ready.fetch_add(1);
  }
  for (int i = 0; i != 100 && v.ready.load() < workers; ++i) sched_yield();
}

// A pool may start its workers late, and need not start them all.
void visit_workers(visit& v, const pool_interface& api, void* pool) {
  using clock = std::chrono::steady_clock;
  const auto deadline = clock::now() + std::chrono::milliseconds(200);
  while (v.ready.load() < workers && (clock::now() < deadline || v.ready.load() == 0)) {
    api.enqueue(pool, workers, &register_here, &v);
    sched_yield();
  }
  while (v.ready.load() != std::min(v.came.load(), workers)) sched_yield();
}

// --- The pools. They are never destroyed: a worker may still use one when the process ends.

constexpr pool_interface tbb_api{
    .start = [](int n) -> void* { return new workers::worker_pool(n); },
    .enqueue =
        [](void* pool, int n, void (*task)(void*), void* with) {
          for (int i = 0; i != n; ++i)
            static_cast<workers::worker_pool*>(pool)->enqueue(task, with);
        },
    .end = [](void* pool) { return static_cast<workers::worker_pool*>(pool)->end(); }};

// Each task is a thread, which lives until end(): the nearest thing to a pool in the C++ library.
struct async_pool {
  std::vector<std::future<void>> all;
  std::atomic<bool> over{false};
};
constexpr pool_interface async_api{
    .start = [](int /*workers*/) -> void* { return new async_pool; },
    .enqueue =
        [](void* pool, int n, void (*task)(void*), void* with) {
          auto& p = *static_cast<async_pool*>(pool);
          for (int i = 0; i != n && p.all.size() != workers; ++i) {
            p.all.push_back(std::async(std::launch::async, [&p, task, with] {
              task(with);
              p.over.wait(false);
            }));
          }
        },
    .end =
        [](void* pool) {
          auto& p = *static_cast<async_pool*>(pool);
          p.over.store(true);
          p.over.notify_all();
          for (std::future<void>& f : p.all) f.get();
          return true;
        }};

struct pool_kind {
  const pool_interface* api;  // null: the module has it
  std::string_view module;    // "": none
  bool joins;                 // end() joins its threads
  std::string_view not_under_tsan;
};
constexpr pool_kind pools[] = {
    {&tbb_api, "", true, ""},
    {nullptr, "stress_openmp", false, "OpenMP's library is not built with ThreadSanitizer"},
    {nullptr, "stress_asio", true, ""},
    {&async_api, "", true, ""},
};
constexpr std::array<event::condition, event::conditions_most> pool_names = {
    {{"oneTBB"}, {"OpenMP"}, {"boost::asio::thread_pool"}, {"std::async"}}};

// Null: the pool is absent, which is recorded.
const pool_interface* api_of(event_context& ctx, const pool_kind& kind) {
  if (detail::under_tsan && !kind.not_under_tsan.empty()) {
    ctx.record_absent(kind.not_under_tsan);
    return nullptr;
  }
  if (kind.api != nullptr) return kind.api;
  if (!has_module(kind.module)) {
    ctx.record_absent("its headers were not found when this was built");
    return nullptr;
  }
  return loaded_object(kind.module)
      .function<decltype(threadref_stress_pool)>("threadref_stress_pool")();
}

long threads_alive() {
  using each = std::filesystem::directory_iterator;
  return std::distance(each("/proc/self/task"), each());
}

int ended_in_order(event_context& ctx) {
  const pool_kind& kind = pools[ctx.condition()];
  const pool_interface* const api = api_of(ctx, kind);
  if (api == nullptr) return 0;
  const long before = threads_alive();
  visit v{.ctx = ctx};
  void* const pool = api->start(workers);
  visit_workers(v, *api, pool);
  THREADREF_CHECK(api->end(pool), "the pool could not end its workers");
  if (kind.joins) {
    for (const auto& number : v.numbers) ctx.note_joined(number.load());
  } else {
    while (threads_alive() > before) sched_yield();
  }
  return 0;
}

int cut_off(event_context& ctx) {
  const pool_interface* const api = api_of(ctx, pools[ctx.condition()]);
  if (api == nullptr) return 0;
  auto* const v = new visit{.ctx = ctx};
  visit_workers(*v, *api, api->start(workers));
  return 0;
}

constexpr event rows[] = {
    {.name = "env/pool_ended",
     .asks = "do callbacks of a pool's workers run when the pool is ended in order?",
     .run = &ended_in_order,
     .conditions = pool_names},
    {.name = "env/pool_cut_off",
     .asks = "do they when the process ends while the workers live?",
     .run = &cut_off,
     .conditions = pool_names,
     .promise = outcome::lost},
};

}  // namespace
}  // namespace of_env_pools

std::span<const event> env_pools_events() {
  return of_env_pools::rows;
}

}  // namespace threadref::stress
