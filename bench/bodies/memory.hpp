// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "baselines/floor_empty_thread.hpp"
#include "baselines/peer_cxa_thread_atexit.hpp"
#include "baselines/peer_key_list.hpp"
#include "baselines/peer_reserved_vector.hpp"
#include "bodies/body.hpp"

namespace threadref::bench {

// What every thread of the memory rows registers.
inline constexpr int finalizers_counted = 256;

// Has bench_memory count one subject, in a process of its own, and sets the counters of the row.
void count_memory(benchmark::State& state, session& all, const row& of);

struct counted_in_memory {
  using floors = type_list<floor_empty_thread>;
  using peers = type_list<peer_reserved_vector, peer_cxa_thread_atexit, peer_key_list>;
  static constexpr int pairs(int /*alive*/) { return 1; }

  template <class S>
  static void run(benchmark::State& state, session& all, const row& of) {
    count_memory(state, all, of);
  }
};

// How much memory do a thread and a finalizer take, and what is left after a peak?
//   bench_threadref --benchmark_filter=memory/thread
// Counted in bench_memory, which is the allocator of its process; nothing is timed. The threads
// register one after the other, so that the figures are exact.
// 2026-11-20, amd-epyc-2c, 10 000 threads: the default 1.7 KB for the first, 56 bytes each, no call
// for memory once blocks are used again; after the peak 153 MiB stay, after trim() 7.
template <>
struct body<id::memory_thread> : counted_in_memory {};

// How much do they take when all of them register at once?
//   bench_threadref --benchmark_filter=memory/herd
// 2026-11-20, amd-epyc-2c: the same in memory; but of address space up to 4 GB, for each thread
// that finds the pool empty maps a MiB of its own, and what it does not use is lost.
template <>
struct body<id::memory_herd> : counted_in_memory {};

}  // namespace threadref::bench
