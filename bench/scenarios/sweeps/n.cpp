// SPDX-License-Identifier: MIT
#include "bench/scenarios/sweeps/sweep.hpp"

namespace threadref::bench {

namespace {

// Measures a scenario of fixed sizes at all sizes.
scenario_code at_all_sizes(scenario_code made, const scenario_code& timed) {
  made.pairs = &sweep_pairs;
  made.most = timed.most;
  made.operations = timed.operations;
  made.take = timed.take;
  return made;
}

}  // namespace

// Does registering one more finalizer get slower the more there are?
//   bench_threadref --benchmark_filter=sweep/n_registration
template <>
const scenario_code& scenario_of<id::sweep_n_registration>() {
  static const scenario_code it =
      at_all_sizes(sweep_of_registration(id::sweep_n_registration), scenario_of(id::registration));
  return it;
}

// Does the end of a thread grow in proportion to its finalizers?
//   bench_threadref --benchmark_filter=sweep/n_exit
template <>
const scenario_code& scenario_of<id::sweep_n_exit>() {
  static const scenario_code it =
      at_all_sizes(sweep_of_exit(id::sweep_n_exit), scenario_of(id::exit_solo));
  return it;
}

}  // namespace threadref::bench
