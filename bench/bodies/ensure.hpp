// SPDX-License-Identifier: MIT
#pragma once

#include "baselines/floor_thread_local_load.hpp"
#include "bodies/body.hpp"

namespace threadref::bench {

// What does it cost to see that this thread is registered already?
//   bench_threadref --benchmark_filter=finalize/ensure
// Inlined into the program that asks; what shared libraries pay is a sweep of its own.
// 2026-11-20, amd-epyc-2c: as its floor (0.25 ns), but where a key is read: 1.4 to 6.1.
template <>
struct body<id::ensure> {
  using floors = type_list<floor_thread_local_load>;
  using peers = type_list<>;
  static constexpr int times = 4096;
  static constexpr figures wanted = figures::per_operation;
  static constexpr int pairs(int /*n*/) { return 2'000; }
  static constexpr int most(int /*n*/) { return 1; }
  static constexpr double operations(int /*n*/) { return times; }

  // Gives how often the answer was no.
  template <class S>
  [[gnu::noinline]] static std::uint64_t repeat() {
    std::uint64_t unknown = 0;
    for (int i = 0; i != times; ++i) {
      unknown += S::is_known() ? 0U : 1U;
      forget_registers();
    }
    return unknown;
  }

  template <class S>
  static void routine(probe& at) {
    if constexpr (subject<S>) {
      register_range<S>(at.done, 0, 1);
    } else {
      S::know(&at);
    }
    at.start = now();
    const std::uint64_t unknown = repeat<S>();
    at.stop = now();
    at.done.refused += unknown;
  }

  template <class S>
  static sample take(probe& at, int /*n*/, verdict& v) {
    return at.run(&routine<S>, subject<S> ? 1 : 0, v);
  }
};

}  // namespace threadref::bench
