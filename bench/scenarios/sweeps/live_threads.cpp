// SPDX-License-Identifier: MIT
#include <utility>

#include "bench/load/registered_threads.hpp"
#include "bench/scenarios/sweeps/sweep.hpp"

namespace threadref::bench {

namespace {

void run(benchmark::State& state, session& session, const row& row, const subject_code& s) {
  const scenario_code& what = scenario_of(row.key);
  session.go_with_idle(0);
  registered_threads others(s, row.n);
  if (!others.all_started()) return fail_without_threads(state, session);
  measured m = measure_in_turns(state, session, row, s);
  others.join_all(m.found);
  report(state, session, row, what.operations(row.n), std::move(m), what.wanted);
}

scenario_code among_threads(scenario_code made) {
  made.run = &run;
  return made;
}

}  // namespace

// Does registering depend on how many other threads are registered?
//   bench_threadref --benchmark_filter=sweep/live_threads_registration
template <>
const scenario_code& scenario_of<id::sweep_live_threads_registration>() {
  static const scenario_code it =
      among_threads(sweep_of_registration(id::sweep_live_threads_registration));
  return it;
}

// Does the end of a thread depend on how many others are registered?
//   bench_threadref --benchmark_filter=sweep/live_threads_exit
template <>
const scenario_code& scenario_of<id::sweep_live_threads_exit>() {
  static const scenario_code it = among_threads(sweep_of_exit(id::sweep_live_threads_exit));
  return it;
}

}  // namespace threadref::bench
