// SPDX-License-Identifier: MIT
// A thread asks a ref about another thread, while that is alive (ns) and once it is dead (dead_ns).
#include <algorithm>
#include <string_view>
#include <utility>

#include "bench/scenarios/scenario.hpp"
#include "bench/subjects/questions.hpp"

namespace threadref::bench {

namespace {

void run(benchmark::State& state, session& session, const row& row, const subject_code& s) {
  measured m = measure_in_turns(state, session, row, s);
  std::sort(m.subject.total.begin(), m.subject.total.end());
  state.counters["dead_ns"] =
      (quantile(m.subject.total, 0.5) - trimmed_mean(m.subject.empty).value) / times_asked;
  report(state, session, row, times_asked, std::move(m), figures::per_operation);
}

scenario_code asked_of_ref(id key, std::string_view floor, decltype(scenario_code::take) take) {
  return {
      .key = key,
      .floors = {floor},
      .peers = {"peer_weak_ptr"},
      .pairs = [](int /*n*/) { return 2'000; },
      .most = [](int /*n*/) { return 1; },
      .operations = [](int /*n*/) -> double { return times_asked; },
      .take = take,
      .run = &run,
  };
}

}  // namespace

// What does it cost to ask whether a thread still runs?
//   bench_threadref --benchmark_filter=ref/check
// 2026-11-20, amd-epyc-2c: 0.35 to 0.48 ns both, one acquire load 0.25, weak_ptr::expired 0.27.
template <>
const scenario_code& scenario_of<id::ref_check>() {
  static const scenario_code it = asked_of_ref(
      id::ref_check, "floor_acquire_load",
      [](const subject_code& s, probe& at, int /*n*/, verdict& v) { return s.ref_check(at, v); });
  return it;
}

// What does it cost to lock a thread by a ref and to release it?
//   bench_threadref --benchmark_filter=ref/lock
// 2026-11-20, amd-epyc-2c: 45 ns, the floor 9.5, weak_ptr::lock 12.
template <>
const scenario_code& scenario_of<id::ref_lock>() {
  static const scenario_code it = asked_of_ref(
      id::ref_lock, "floor_counter_pair",
      [](const subject_code& s, probe& at, int /*n*/, verdict& v) { return s.ref_lock(at, v); });
  return it;
}

}  // namespace threadref::bench
