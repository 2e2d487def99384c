// SPDX-License-Identifier: MIT
#pragma once

#include "bodies/sweep.hpp"
#include "residents.hpp"

namespace threadref::bench {

template <id K, id Timed>
struct sweep_of_live_threads : sweep_body<Timed> {
  template <subject S>
  static void run(benchmark::State& state, session& all, const row& of) {
    all.go_with_crowd(0);
    residents<S> others(of.n);
    if (!others.are_there()) return fail_without_threads(state, all);
    measured m = measure_in_turns<K, S>(state, all, of);
    others.dismiss(m.found);
    report(state, all, of, body<K>::operations(of.n), std::move(m), body<K>::wanted);
  }
};

// Does registering depend on how many other threads are registered?
//   bench_threadref --benchmark_filter=sweep/live_threads_registration
template <>
struct body<id::sweep_live_threads_registration>
    : sweep_of_live_threads<id::sweep_live_threads_registration, id::registration> {};

// Does the end of a thread depend on how many others are registered?
//   bench_threadref --benchmark_filter=sweep/live_threads_exit
template <>
struct body<id::sweep_live_threads_exit>
    : sweep_of_live_threads<id::sweep_live_threads_exit, id::exit_solo> {};

}  // namespace threadref::bench
