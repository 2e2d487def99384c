// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>

#include "baselines/floor_call_loop.hpp"
#include "baselines/floor_empty_thread.hpp"
#include "baselines/peers.hpp"
#include "bodies/body.hpp"
#include "routines.hpp"

namespace threadref::bench {

// How long after a thread's last statement has its last finalizer run, and is it joined?
//   bench_threadref --benchmark_filter=finalize/exit/
// Drain is the first half, total the whole. Nobody else runs, and all on one CPU.
// 2026-11-20, amd-epyc-2c, n:16: drain 49 to 69 ns, the floor 19, peers 28 to 259; total 9 us.
template <>
struct body<id::exit_solo> {
  using floors = type_list<floor_call_loop>;
  using peers = bench::peers;
  static constexpr bool at_exit = true;
  static constexpr figures wanted = figures::exit_latency;
  static constexpr int pairs(int n) { return pairs_for(n); }
  static constexpr int most(int n) { return n; }
  static constexpr double operations(int n) { return n; }

  template <subject S>
  static sample take(probe& at, int n, verdict& v) {
    at.n = n;
    return at.run(&exit_routine<S>, n, v);
  }

  // The floor of a whole thread: a row of its own, with no finalizer and the life of the thread as
  // its time.
  static void run_empty(benchmark::State& state, session& all, const row& of) {
    all.go_solo();
    probe at(1);
    const auto take = [&](verdict& v) {
      sample s = at.run(&exit_routine<floor_empty_thread>, 0, v);
      s.region = s.life;
      return s;
    };
    report(state, all, of, 1, sample_pairs(state, 1, take, take), figures::exit_latency);
  }
};

// How long does the same take while other threads come and go?
//   bench_threadref --benchmark_filter=finalize/exit_under_churn
// Beside the probe many threads sleep, and two others create and join threads that register with
// the same subject. Nothing is pinned.
// 2026-11-20, amd-epyc-2c: the drain is as alone, its p99 0.2 to 0.5 us; total p99 0.1 ms and
// more, for the floor too.
template <>
struct body<id::exit_under_churn> {
  using floors = type_list<floor_call_loop>;
  using peers = bench::peers;
  static constexpr bool at_exit = true;
  static constexpr int pairs(int /*n*/) { return 10'000; }

  template <subject S>
  static void run(benchmark::State& state, session& all, const row& of) {
    if (!all.go_with_crowd(of.churn)) {
      all.not_usable();
      state.SkipWithError("the system did not let us have that many threads");
      return;
    }
    probe at(of.n);
    at.n = of.n;
    churners others(&exit_routine<S>, of.n);
    const instant began = now();
    measured m = sample_pairs(
        state, of.n, [&](verdict& v) { return at.run(&exit_routine<S>, of.n, v); },
        [&](verdict& v) { return at.run(&exit_routine<floor_call_loop>, of.n, v); });
    const churners::outcome churned = others.stop();
    const double seconds = static_cast<double>(now() - began) * 1e-9;
    m.found.add(churned.found);
    report(state, all, of, of.n, m, figures::exit_latency);
    state.counters["churned_per_s"] = static_cast<double>(churned.threads) / seconds;
  }
};

}  // namespace threadref::bench
