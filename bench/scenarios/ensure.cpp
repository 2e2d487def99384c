// SPDX-License-Identifier: MIT
#include "bench/scenarios/scenario.hpp"
#include "bench/subjects/questions.hpp"

namespace threadref::bench {

// What does it cost to see that this thread is registered already?
//   bench_threadref --benchmark_filter=finalize/ensure
// The call is inlined into the program; sweep/access measures it in shared libraries.
// 2026-11-20, amd-epyc-2c: like its floor (0.25 ns), except where a key is read: 1.4 to 6.1.
template <>
const scenario_code& scenario_of<id::ensure>() {
  static const scenario_code it{
      .key = id::ensure,
      .floors = {"floor_thread_local_load"},
      .pairs = [](int /*n*/) { return 2'000; },
      .most = [](int /*n*/) { return 1; },
      .operations = [](int /*n*/) -> double { return times_asked; },
      .take =
          [](const subject_code& s, probe& at, int /*n*/, verdict& v) {
            return s.run(at, s.ensure, s.register_range != nullptr ? 1 : 0, v);
          },
  };
  return it;
}

}  // namespace threadref::bench
