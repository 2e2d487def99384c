// SPDX-License-Identifier: MIT
#pragma once

#include "baselines/floor_bump_store.hpp"
#include "baselines/peers.hpp"
#include "bodies/body.hpp"
#include "routines.hpp"

namespace threadref::bench {

// What does registering one more finalizer cost on a thread that has some?
//   bench_threadref --benchmark_filter=finalize/registration
// The first one, which arms the mechanism, is not timed.
// 2026-11-20, amd-epyc-2c, n:256: back ends 3.0 to 7.6 ns, the floor 0.65, peers 0.5 to 45.
template <>
struct body<id::registration> {
  using floors = type_list<floor_bump_store>;
  using peers = bench::peers;
  static constexpr figures wanted = figures::per_operation;
  static constexpr int pairs(int n) { return pairs_for(n); }
  static constexpr int most(int n) { return n + 1; }
  static constexpr double operations(int n) { return n; }

  template <subject S>
  static sample take(probe& at, int n, verdict& v) {
    at.n = n;
    return at.run(&registration_routine<S>, n + 1, v);
  }
};

// What does the first finalizer of a thread cost, arming included?
//   bench_threadref --benchmark_filter=finalize/first_registration
// The floor arms nothing: the ratio says what it costs to be told of a thread's exit at all.
// 2026-11-20, amd-epyc-2c: back ends 34 to 131 ns, peers 6 to 172.
template <>
struct body<id::first_registration> {
  using floors = type_list<floor_bump_store>;
  using peers = bench::peers;
  static constexpr figures wanted = figures::per_operation;
  static constexpr int pairs(int n) { return pairs_for(n); }
  static constexpr int most(int n) { return n; }
  static constexpr double operations(int n) { return n; }

  template <subject S>
  static void routine(probe& at) {
    at.start = now();
    S::arm(at.storage(), 1);
    register_range<S>(at.done, 0, 1);
    at.stop = now();
    leave<S>();
  }

  template <subject S>
  static sample take(probe& at, int /*n*/, verdict& v) {
    return at.run(&routine<S>, 1, v);
  }
};

}  // namespace threadref::bench
