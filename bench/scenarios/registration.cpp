// SPDX-License-Identifier: MIT
#include "bench/scenarios/scenario.hpp"

namespace threadref::bench {

// What does it cost to register one more finalizer on a thread that has some?
//   bench_threadref --benchmark_filter=finalize/registration
// The first one, which arms the mechanism, is not timed.
// 2026-11-20, amd-epyc-2c, n:256: back ends 3.0 to 7.6 ns, the floor 0.65, peers 0.5 to 45.
template <>
const scenario_code& scenario_of<id::registration>() {
  static const scenario_code it{
      .key = id::registration,
      .floors = {"floor_bump_store"},
      .all_peers = true,
      .pairs = &pairs_for,
      .most = [](int n) { return n + 1; },
      .take =
          [](const subject_code& s, probe& at, int n, verdict& v) {
            at.n = n;
            return s.run(at, s.registration, n + 1, v);
          },
  };
  return it;
}

// What does the first finalizer of a thread cost, arming included?
//   bench_threadref --benchmark_filter=finalize/first_registration
// The floor arms nothing: the ratio is the price of an exit hook.
// 2026-11-20, amd-epyc-2c: back ends 34 to 131 ns, peers 6 to 172.
template <>
const scenario_code& scenario_of<id::first_registration>() {
  static const scenario_code it{
      .key = id::first_registration,
      .floors = {"floor_bump_store"},
      .all_peers = true,
      .pairs = &pairs_for,
      .most = [](int n) { return n; },
      .take = [](const subject_code& s, probe& at, int /*n*/,
                 verdict& v) { return s.run(at, s.first_registration, 1, v); },
  };
  return it;
}

}  // namespace threadref::bench
