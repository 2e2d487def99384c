// SPDX-License-Identifier: MIT
#pragma once

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>

#include "stress/engine/child.hpp"
#include "stress/engine/scenario.hpp"
#include "workers/worker_pool.hpp"

namespace threadref::stress {

// Do finalizers on oneTBB workers run, with and without an orderly end of the pool?
//
//   stress_threadref --filter=^pool/
//
// A real run (2 CPUs of an AMD EPYC, Release, 2026-11-20), 255 rounds of 16 workers on one back
// end:
//   cut_off  147,406  50.0 %  interesting  the process ended while its pool's workers lived: ...
//   once     147,406  50.0 %  acceptable   every finalizer ran exactly once, on its own thread
//
// With it, the pool's finalize() ends the workers, and all finalizers have run when it returns.
// Without it, a child process returns from main while its workers live, and the finalizers that
// they registered are cut off. The platform does that, not the back end, but whoever registers
// finalizers on a pool must know it.
template <backend B>
struct body<scenarios::id::pool, B> {
  static void run(round& r, finalizer_ledger& ledger) {
    {
      pool_state all(r, ledger);
      workers::worker_pool pool(static_cast<int>(all.workers));
      const std::size_t workers = work(r, all, pool);
      if (!pool.end()) r.figures.seen.add("pool_not_ended", 1);
      for (std::size_t i = 0; i != workers; ++i) {
        finalizer_ledger::joined(ledger.at(i));
        r.thread_ended();
      }
    }
    if (!round::stopping()) play_child(r, "cut_off");
  }

  // No orderly end: the caller returns from main. The workers go on and use these objects, so they
  // are never freed.
  static int child(round& r, finalizer_ledger& ledger) {
    static auto* const all = new pool_state(r, ledger);
    static auto* const pool = new workers::worker_pool(static_cast<int>(all->workers));
    return work(r, *all, *pool) != 0 ? 0 : 1;
  }

 private:
  // More workers would only wait for tasks.
  static constexpr std::size_t workers_most = 64;
  struct pool_state {
    pool_state(const round& r, finalizer_ledger& l)
        : ledger(l), refs(l.threads()), workers(std::min(r.size(), workers_most)) {
      for (std::size_t i = 0; i != l.threads(); ++i) l.open(i, mix(r.seed, i));
      first_number = l.at(0).number;
      arrived.store(0, std::memory_order_release);  // publishes all this to the workers
    }
    finalizer_ledger& ledger;
    thread_refs<B> refs;
    std::size_t workers;
    std::uint64_t first_number;
    std::atomic<std::size_t> arrived{0};  // workers that claimed a record
    std::atomic<std::size_t> ready{0};    // and have registered
  };

  // A task. The first on each worker registers; then it stays a little, so that the next task goes
  // to another worker.
  static void register_here(void* shared) {
    auto& all = *static_cast<pool_state*>(shared);
    if (my_number < all.first_number) {
      const std::size_t i = all.arrived.fetch_add(1, std::memory_order_acq_rel);
      if (i >= all.workers) return;
      record& r = all.ledger.at(i);
      finalizer_ledger::enter(r);
      all.refs.watch(r);
      attach_some<B>(r);
      all.ready.fetch_add(1, std::memory_order_acq_rel);
    }
    for (int i = 0; i != 100 && all.ready.load(std::memory_order_acquire) < all.workers; ++i)
      sched_yield();
  }

  // Gives tasks to the workers and returns how many of them ran one: at least one, however long
  // that takes.
  static std::size_t work(round& r, pool_state& all, workers::worker_pool& pool) {
    using clock = std::chrono::steady_clock;
    const auto deadline = clock::now() + std::chrono::milliseconds(200);
    for (std::size_t ready = 0; ready == 0 || (ready < all.workers && clock::now() < deadline);
         ready = all.ready.load(std::memory_order_acquire)) {
      for (std::size_t i = 0; i != 2 * all.workers; ++i) pool.enqueue(&register_here, &all);
      sched_yield();
    }
    const std::size_t arrived = std::min(all.arrived.load(std::memory_order_acquire), all.workers);
    for (std::size_t i = 0; i != arrived; ++i) r.thread_began();
    return arrived;
  }
};

}  // namespace threadref::stress
