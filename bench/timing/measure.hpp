// SPDX-License-Identifier: MIT
// From probes to the figures of a row.
#pragma once

#include <absl/functional/function_ref.h>
#include <benchmark/benchmark.h>

#include <string_view>

#include "bench/harness/session.hpp"

namespace threadref::bench {

// Takes one sample, with a fresh thread, and adds what it finds wrong.
using sampler = absl::FunctionRef<sample(verdict&)>;

// Below this many clock ticks a median is a multiple of the tick, and says nothing.
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

// As many pairs as the benchmark has iterations: subject, floor, floor, subject, ... (ABBA), so
// that whatever slows the machine down for a while slows down both. `operations`: in one region.
measured sample_pairs(benchmark::State& state, double operations, sampler subject, sampler floor);

enum class figures { per_operation, exit_latency };

// Sets the counters and the label of the row, or fails it.
void report(benchmark::State& state, session& session, const row& row, double operations,
            measured m, figures wanted);

// A row that has no figures, and whose label says why. It fails nothing.
void report_absent(benchmark::State& state, const session& session, std::string_view why);

// Fails the row if its subject did wrong. True: it did not.
bool judge(benchmark::State& state, session& session, const row& row, const verdict& found);

}  // namespace threadref::bench
