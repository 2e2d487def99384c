// SPDX-License-Identifier: MIT
// Turns samples into the figures of a row.
#pragma once

#include <absl/functional/function_ref.h>
#include <benchmark/benchmark.h>

#include <string_view>

#include "bench/harness/session.hpp"

namespace threadref::bench {

// Takes one sample with a new thread, and adds the faults it finds.
using sampler = absl::FunctionRef<sample(verdict&)>;

// Below this many clock ticks a median is just a multiple of the tick.
inline constexpr double ticks_for_a_median = 50;

struct series {
  samples region;
  samples empty;
  samples total;
  samples life;
};
struct measured {
  series subject;
  series floor;
  verdict found;
};

// Takes as many pairs as the benchmark has iterations, in the order subject, floor, floor, subject,
// ... (ABBA), so that whatever slows the machine down for a while affects both. `operations`: the
// number in one region.
measured sample_pairs(benchmark::State& state, double operations, sampler subject, sampler floor);

enum class figures { per_operation, exit_latency };

// Sets the counters and the label of the row, or fails the row.
void report(benchmark::State& state, session& session, const row& row, double operations,
            measured m, figures wanted);

// Reports a row without figures, whose label gives the reason. This is not a failure.
void report_absent(benchmark::State& state, const session& session, std::string_view why);

// Fails the row if faults were found. True: there were none.
bool judge(benchmark::State& state, session& session, const row& row, const verdict& found);

}  // namespace threadref::bench
