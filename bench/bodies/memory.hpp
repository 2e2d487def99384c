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
inline constexpr int finalizers_counted = 64;

// Has bench_memory count one subject, in a process of its own, and sets the counters of the row.
void count_memory(benchmark::State& state, session& all, const row& of);

// How much memory do a thread and a finalizer take, and what is left after a peak?
//   bench_threadref --benchmark_filter=memory/thread
// Counted in bench_memory, which is the allocator of its process; nothing is timed.
// MEMORY_FACTS
template <>
struct body<id::memory_thread> {
  using floors = type_list<floor_empty_thread>;
  using peers = type_list<peer_reserved_vector, peer_cxa_thread_atexit, peer_key_list>;
  static constexpr int pairs(int /*alive*/) { return 1; }

  template <class S>
  static void run(benchmark::State& state, session& all, const row& of) {
    count_memory(state, all, of);
  }
};

}  // namespace threadref::bench
