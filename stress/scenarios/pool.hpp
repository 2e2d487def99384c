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
// With: the pool's finalize() ends the workers, and all finalizers have run when it returns.
// Without: a child process returns from main while its workers live; what they had registered is
// cut off. That is the platform's doing and no fault of a back end, but whoever registers on a pool
// must know it.
template <backend B>
struct body<scenarios::id::pool, B> {
  static void run(round& r, ledger& book) {
    {
      shift all(r, book);
      workers::worker_pool pool(static_cast<int>(all.workers));
      const std::size_t workers = work(r, all, pool);
      if (!pool.end()) r.figures.seen.add("pool_not_ended", 1);
      for (std::size_t i = 0; i != workers; ++i) {
        ledger::joined(book.at(i));
        r.thread_ended();
      }
    }
    if (!round::stopping()) play_child(r, "cut_off");
  }

  // Ends without an orderly end: the caller returns from main. The workers live on, and use what
  // is here; so it stays.
  static int child(round& r, ledger& book) {
    static auto* const all = new shift(r, book);
    static auto* const pool = new workers::worker_pool(static_cast<int>(all->workers));
    return work(r, *all, *pool) != 0 ? 0 : 1;
  }

 private:
  // More of them would only wait for tasks.
  static constexpr std::size_t workers_most = 64;
  struct shift {
    shift(const round& r, ledger& of)
        : book(of), refs(of.threads()), workers(std::min(r.size(), workers_most)) {
      for (std::size_t i = 0; i != of.threads(); ++i) of.open(i, mix(r.seed, i));
      first_number = of.at(0).number;
      came.store(0, std::memory_order_release);  // publishes all this to the workers
    }
    ledger& book;
    watches<B> refs;
    std::size_t workers;
    std::uint64_t first_number;
    std::atomic<std::size_t> came{0};   // workers that took a record
    std::atomic<std::size_t> ready{0};  // and have registered
  };

  // As a task on a worker: the first one there registers; then it stays a little, so that the next
  // task goes to another worker.
  static void register_here(void* shared) {
    auto& all = *static_cast<shift*>(shared);
    if (my_number < all.first_number) {
      const std::size_t i = all.came.fetch_add(1, std::memory_order_acq_rel);
      if (i >= all.workers) return;
      record& r = all.book.at(i);
      ledger::enter(r);
      all.refs.watch(r);
      attach_some<B>(r);
      all.ready.fetch_add(1, std::memory_order_acq_rel);
    }
    for (int i = 0; i != 100 && all.ready.load(std::memory_order_acquire) < all.workers; ++i)
      sched_yield();
  }

  // Gives so many workers something to do; how many came. One at least, however long that takes.
  static std::size_t work(round& r, shift& all, workers::worker_pool& pool) {
    using clock = std::chrono::steady_clock;
    const auto deadline = clock::now() + std::chrono::milliseconds(200);
    for (std::size_t ready = 0; ready == 0 || (ready < all.workers && clock::now() < deadline);
         ready = all.ready.load(std::memory_order_acquire)) {
      for (std::size_t i = 0; i != 2 * all.workers; ++i) pool.enqueue(&register_here, &all);
      sched_yield();
    }
    const std::size_t came = std::min(all.came.load(std::memory_order_acquire), all.workers);
    for (std::size_t i = 0; i != came; ++i) r.thread_began();
    return came;
  }
};

}  // namespace threadref::stress
