// SPDX-License-Identifier: MIT
// Shared by the sweeps, which take the samples of another row while one parameter around them
// varies.
#pragma once

#include <vector>

#include "bench/scenarios/scenario.hpp"

namespace threadref::bench {

// 256 per sample: long enough for a clock that ticks every few tens of ns.
inline constexpr int swept_count = 256;

// Sweeps have so many rows that more samples would take an hour; short samples need more of them.
constexpr int sweep_pairs(int n) {
  return n < 256 ? 4'000 : n < 4096 ? 1'000 : 100;
}

// A sweep of finalize/registration or finalize/exit: its floor, a few peers, and samples of 256
// operations.
scenario_code sweep_of_registration(id key);
scenario_code sweep_of_exit(id key);

// The sizes of a row whose parameter is a number of threads, limited to what the system allows.
std::vector<int> sizes_with_room(id k);

// Measures and reports while an `Around(value)` exists.
template <class Around>
void report_among(benchmark::State& state, session& session, const row& row,
                  const subject_code& s) {
  fail_with_reason(state, session, [&] {
    const Around here(row.n);
    measure_and_report(state, session, row, s);
  });
}

}  // namespace threadref::bench
