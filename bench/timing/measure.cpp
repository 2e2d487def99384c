// SPDX-License-Identifier: MIT
#include "bench/timing/measure.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "testing/text.hpp"

namespace threadref::bench {

namespace {

// A floor below this is too close to its own error for a ratio.
constexpr double smallest_floor_ns = 0.05;

void append(series& into, const sample& s) {
  into.region.push_back(static_cast<double>(s.region));
  into.empty.push_back(static_cast<double>(s.empty));
  into.total.push_back(static_cast<double>(s.total));
  into.life.push_back(static_cast<double>(s.life));
}

void sort_all(series& s) {
  for (samples* each : {&s.region, &s.empty, &s.total, &s.life}) {
    std::sort(each->begin(), each->end());
  }
}

// Subtracts the cost of reading the clock and divides. Negative results become 0.
samples without_empty(const samples& sorted, double empty, double operations) {
  samples net = sorted;
  for (double& x : net) x = std::max(0.0, (x - empty) / operations);
  return net;
}

estimate centre(const series& s, double operations, bool is_trimmed) {
  const estimate empty = trimmed_mean(s.empty);
  if (!is_trimmed) return {(quantile(s.region, 0.5) - empty.value) / operations, 0};
  const estimate region = trimmed_mean(s.region);
  return {(region.value - empty.value) / operations,
          std::hypot(region.error, empty.error) / operations};
}

void set_quantiles(benchmark::State& state, std::string_view prefix, const samples& sorted) {
  struct share {
    std::string_view name;
    double of;
  };
  for (const share& s : {share{"p50", 0.5}, share{"p99", 0.99}, share{"p999", 0.999}}) {
    state.counters[testing::concat(prefix, s.name)] = quantile(sorted, s.of);
  }
  if (!prefix.empty()) return;
  state.counters["p90"] = quantile(sorted, 0.9);
  state.counters["min"] = quantile(sorted, 0);
  state.counters["max"] = quantile(sorted, 1);
}

void set_exit_figures(benchmark::State& state, session& session, const row& row,
                      const measured& m) {
  set_quantiles(state, "total_", m.subject.total);
  state.counters["total_ratio"] = quantile(m.subject.total, 0.5) / quantile(m.floor.total, 0.5);
  state.counters["life_p50"] = quantile(m.subject.life, 0.5);
  state.counters["life_ratio"] = quantile(m.subject.life, 0.5) / quantile(m.floor.life, 0.5);
  session.store_samples(row, "total", m.subject.total);
}

}  // namespace

namespace {

// Every counter that a row may have. (clang-format would put each on its own line.)
// clang-format off
constexpr const char* counters_known[] = {
    "ns", "ns_se", "floor_ns", "ratio", "empty_ns", "pinned_cpu", "samples", "lost",
    "doubled", "misordered", "min", "p50", "p90", "p99", "p999", "max", "total_p50",
    "total_p99", "total_p999", "total_ratio", "life_p50", "life_ratio", "churned_per_s",
    "dead_ns", "low", "high", "pairs", "a_ns", "b_ns", "layout", "threads_per_s", "n",
    "alive", "bytes_per_thread", "bytes_per_finalizer", "allocations_first",
    "allocations_each", "serial_ns", "serial_ratio", "serial_ratio_low", "serial_ratio_high",
    "joined_ns", "first_ns", "first_ratio", "steady_first", "steady_each", "steady_exit",
    "retained_bytes", "retained_resident", "trimmed_bytes", "trimmed_resident"};
// clang-format on

// Google Benchmark's CSV writer aborts if a row has a counter that the first row does not have.
void fill_for_csv(benchmark::State& state, const session& session) {
  if (!session.asked.is_csv) return;
  for (const char* name : counters_known) {
    state.counters.try_emplace(name, std::numeric_limits<double>::quiet_NaN());
  }
}

}  // namespace

measured sample_pairs(benchmark::State& state, double operations, sampler subject, sampler floor) {
  measured m;
  bool subject_first = true;
  for (auto _ : state) {
    if (!subject_first) append(m.floor, floor(m.found));
    const sample s = subject(m.found);
    append(m.subject, s);
    if (subject_first) append(m.floor, floor(m.found));
    subject_first = !subject_first;
    state.SetIterationTime(static_cast<double>(s.region) * 1e-9 / operations);
  }
  return m;
}

bool judge(benchmark::State& state, session& session, const row& row, const verdict& found) {
  fill_for_csv(state, session);
  if (found.good()) return true;
  session.record(row, found);
  state.SkipWithError(testing::concat("lost=", found.lost, " doubled=", found.doubled,
                                      " misordered=", found.misordered)
                          .c_str());
  return false;
}

void report(benchmark::State& state, session& session, const row& row, double operations,
            measured m, figures wanted) {
  if (!judge(state, session, row, m.found)) return;
  sort_all(m.subject);
  sort_all(m.floor);
  const double shortest = std::min(quantile(m.subject.region, 0.5), quantile(m.floor.region, 0.5));
  const bool is_trimmed = shortest < ticks_for_a_median * session.machine.clock_tick_ns;
  const estimate subject = centre(m.subject, operations, is_trimmed);
  const estimate floor = centre(m.floor, operations, is_trimmed);

  auto& counters = state.counters;
  counters["ns"] = subject.value;
  if (is_trimmed) counters["ns_se"] = subject.error;
  counters["floor_ns"] = floor.value;
  if (floor.value > smallest_floor_ns) counters["ratio"] = subject.value / floor.value;
  counters["empty_ns"] = trimmed_mean(m.subject.empty).value;
  counters["pinned_cpu"] = row.churn != 0 || row.is_free ? -1 : session.pinned_cpu();
  counters["samples"] = static_cast<double>(m.subject.region.size());
  for (const char* fault : {"lost", "doubled", "misordered"}) counters[fault] = 0;

  const bool is_exit = wanted == figures::exit_latency;
  const samples net =
      without_empty(m.subject.region, counters["empty_ns"], is_exit ? 1 : operations);
  set_quantiles(state, "", net);
  session.store_samples(row, is_exit ? "drain" : "per_operation", net);
  if (is_exit) set_exit_figures(state, session, row, m);
  state.SetLabel(testing::concat("order=", row.order));
}

void report_absent(benchmark::State& state, const session& session, std::string_view why) {
  for (auto _ : state) state.SetIterationTime(0);
  fill_for_csv(state, session);
  state.SetLabel(testing::concat(absent_prefix, why));
}

}  // namespace threadref::bench
