// SPDX-License-Identifier: MIT
#pragma once

#include "bodies/sweep.hpp"

namespace threadref::bench {

template <id Timed>
struct sweep_of_n : sweep_body<Timed> {
  using typename sweep_body<Timed>::timed;
  static constexpr int pairs(int n) { return sweep_pairs(n); }
  static constexpr int most(int n) { return timed::most(n); }
  static constexpr double operations(int n) { return n; }

  template <subject S>
  static sample take(probe& at, int n, verdict& v) {
    return timed::template take<S>(at, n, v);
  }
};

// Does registering one more get dearer the more there are?
//   bench_threadref --benchmark_filter=sweep/n_registration
template <>
struct body<id::sweep_n_registration> : sweep_of_n<id::registration> {};

// Does the end of a thread grow in proportion to its finalizers?
//   bench_threadref --benchmark_filter=sweep/n_exit
template <>
struct body<id::sweep_n_exit> : sweep_of_n<id::exit_solo> {};

}  // namespace threadref::bench
