// SPDX-License-Identifier: MIT
// What the bodies of sweeps share: they take the samples of another row, while something else
// varies around them.
#pragma once

#include <vector>

#include "bench/scenarios/scenario.hpp"

namespace threadref::bench {

// 256 at a time: long enough for a clock that ticks in tens of ns.
inline constexpr int swept_count = 256;

// More samples than rows have values would make a sweep last for an hour; what is short needs more.
constexpr int sweep_pairs(int n) {
  return n < 256 ? 4'000 : n < 4096 ? 1'000 : 100;
}

// A sweep of finalize/registration or finalize/exit: its floor, a few peers, and samples of 256.
scenario_code sweep_of_registration(id key);
scenario_code sweep_of_exit(id key);

// The sizes of a row that stand for threads, as far as there can be so many here.
std::vector<int> sizes_with_room(id k);

// With `Around(value)` alive meanwhile.
template <class Around>
void report_among(benchmark::State& state, session& session, const row& row,
                  const subject_code& s) {
  fail_with_reason(state, session, [&] {
    const Around here(row.n);
    measure_and_report(state, session, row, s);
  });
}

}  // namespace threadref::bench
