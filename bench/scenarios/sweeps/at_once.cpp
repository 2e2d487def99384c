// SPDX-License-Identifier: MIT
#include <utility>

#include "bench/load/pinned_threads.hpp"
#include "bench/scenarios/sweeps/sweep.hpp"

namespace threadref::bench {

namespace {

std::vector<int> thread_counts(const session& /*session*/) {
  const auto most = static_cast<int>(allowed_cpus().size());
  std::vector<int> threads;
  for (int t = 1; t < most; t *= 2) threads.push_back(t);
  threads.push_back(most);
  return threads;
}

// Measures subject and floor in turns, with the same number of threads.
template <probe::routine subject_code::*Routine>
void run(benchmark::State& state, session& session, const row& row, const subject_code& s) {
  const scenario_code& what = scenario_of(row.key);
  const subject_code& floor = subject_named(what.floors.front());
  const int registered = what.most(row.n);
  session.go_with_idle(0);
  pinned_threads together(allowed_cpus(), row.n, registered);
  measured m = sample_pairs(
      state, swept_count,
      [&](verdict& v) { return together.run(s.*Routine, swept_count, registered, v); },
      [&](verdict& v) { return together.run(floor.*Routine, swept_count, registered, v); });
  report(state, session, row, swept_count, std::move(m), what.wanted);
}

template <probe::routine subject_code::*Routine>
scenario_code at_once(scenario_code made) {
  made.is_free = true;
  made.values = &thread_counts;
  made.run = &run<Routine>;
  return made;
}

}  // namespace

// Do threads that register at the same time hinder each other?
//   bench_threadref --benchmark_filter=sweep/at_once_registration
// Each thread has its own CPU; a sample is the mean over the threads.
template <>
const scenario_code& scenario_of<id::sweep_at_once_registration>() {
  static const scenario_code it = at_once<&subject_code::registration_at_once>(
      sweep_of_registration(id::sweep_at_once_registration));
  return it;
}

// Do threads that end at the same time hinder each other?
//   bench_threadref --benchmark_filter=sweep/at_once_exit
template <>
const scenario_code& scenario_of<id::sweep_at_once_exit>() {
  static const scenario_code it =
      at_once<&subject_code::exit_at_once>(sweep_of_exit(id::sweep_at_once_exit));
  return it;
}

}  // namespace threadref::bench
