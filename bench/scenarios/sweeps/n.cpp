// SPDX-License-Identifier: MIT
#include "bench/scenarios/sweeps/sweep.hpp"

namespace threadref::bench {

namespace {

// The row of one size, at all sizes.
body at_all_sizes(body made, const body& timed) {
  made.pairs = &sweep_pairs;
  made.most = timed.most;
  made.operations = timed.operations;
  made.take = timed.take;
  return made;
}

}  // namespace

// Does registering one more get dearer the more there are?
//   bench_threadref --benchmark_filter=sweep/n_registration
template <>
const body& body_of<id::sweep_n_registration>() {
  static const body it =
      at_all_sizes(sweep_of_registration(id::sweep_n_registration), body_of(id::registration));
  return it;
}

// Does the end of a thread grow in proportion to its finalizers?
//   bench_threadref --benchmark_filter=sweep/n_exit
template <>
const body& body_of<id::sweep_n_exit>() {
  static const body it = at_all_sizes(sweep_of_exit(id::sweep_n_exit), body_of(id::exit_solo));
  return it;
}

}  // namespace threadref::bench
