// SPDX-License-Identifier: MIT
#pragma once

#include "bodies/sweep.hpp"
#include "other_keys.hpp"

namespace threadref::bench {

template <id K, id Timed>
struct sweep_of_keys : sweep_body<Timed> {
  using base = sweep_body<Timed>;

  template <probe::routine What>
  static void with_keys(probe& at) {
    other_keys::set_all();
    What(at);
  }

  template <subject S>
  static sample take(probe& at, int /*keys*/, verdict& v) {
    at.n = base::count;
    if constexpr (Timed == id::registration) {
      return at.run(&with_keys<&registration_routine<S>>, base::most(0), v);
    } else {
      return at.run(&with_keys<&exit_routine<S>>, base::most(0), v);
    }
  }

  template <subject S>
  static void run(benchmark::State& state, session& all, const row& of) {
    report_among<K, other_keys, S>(state, all, of);
  }
};

// Does registering depend on how many other keys have values on the thread?
//   bench_threadref --benchmark_filter=sweep/keys_registration
template <>
struct body<id::sweep_keys_registration>
    : sweep_of_keys<id::sweep_keys_registration, id::registration> {};

// Does the end of a thread depend on how many other keys have values on it?
//   bench_threadref --benchmark_filter=sweep/keys_exit
// glibc walks all of them, after the last finalizer: that shows in total.
template <>
struct body<id::sweep_keys_exit> : sweep_of_keys<id::sweep_keys_exit, id::exit_solo> {};

}  // namespace threadref::bench
