// SPDX-License-Identifier: MIT
#include "bench/scenarios/scenario.hpp"
#include "bench/subjects/finalizers.hpp"

namespace threadref::bench {

namespace {

// The floor of a whole thread is a row of its own: it has no finalizers, and its time is the whole
// life of the thread.
void run_empty_thread(benchmark::State& state, session& session, const row& row) {
  const subject_code& floor = subject_named("floor_empty_thread");
  session.go_solo();
  probe at(1);
  const auto take = [&](verdict& v) {
    sample s = floor.run(at, floor.exit, 0, v);
    s.region = s.life;
    return s;
  };
  report(state, session, row, 1, sample_pairs(state, 1, take, take), figures::exit_latency);
}

void run_under_churn(benchmark::State& state, session& session, const row& row,
                     const subject_code& s) {
  if (!session.go_with_idle(row.churn)) {
    session.not_usable();
    state.SkipWithError("the system refused to create that many threads");
    return;
  }
  const subject_code& floor = subject_named("floor_call_loop");
  probe at(row.n);
  at.n = row.n;
  churners others(s.exit, row.n);
  const instant began = now();
  measured m = sample_pairs(
      state, row.n, [&](verdict& v) { return s.run(at, s.exit, row.n, v); },
      [&](verdict& v) { return floor.run(at, floor.exit, row.n, v); });
  const churners::outcome churned = others.stop();
  const double seconds = static_cast<double>(now() - began) * 1e-9;
  m.found.add(churned.found);
  report(state, session, row, row.n, m, figures::exit_latency);
  state.counters["churned_per_s"] = static_cast<double>(churned.threads) / seconds;
}

scenario_code exit_of(id key, decltype(scenario_code::take) take) {
  return {
      .key = key,
      .floors = {"floor_call_loop"},
      .all_peers = true,
      .at_exit = true,
      .pairs = &pairs_for,
      .wanted = figures::exit_latency,
      .most = [](int n) { return n; },
      .take = take,
  };
}

}  // namespace

// How long after a thread's last statement has its last finalizer run, and is it joined?
//   bench_threadref --benchmark_filter=finalize/exit/
// Drain is the time to the last finalizer, total the time to the join. All on one CPU, with no
// other threads.
// 2026-11-20, amd-epyc-2c, n:16: drain 49 to 69 ns, the floor 19, peers 28 to 259; total 9 us.
template <>
const scenario_code& scenario_of<id::exit_solo>() {
  static const scenario_code it = [] {
    scenario_code made =
        exit_of(id::exit_solo, [](const subject_code& s, probe& at, int n, verdict& v) {
          at.n = n;
          return s.run(at, s.exit, n, v);
        });
    made.run_empty = &run_empty_thread;
    return made;
  }();
  return it;
}

// How long does the same take while other threads come and go?
//   bench_threadref --benchmark_filter=finalize/exit_under_churn
// Many threads sleep beside the probe, and two others create and join threads that register with
// the same subject. Nothing is pinned.
// 2026-11-20, amd-epyc-2c: the drain takes as long as alone, its p99 is 0.2 to 0.5 us; total p99 is
// 0.1 ms and more, also for the floor.
template <>
const scenario_code& scenario_of<id::exit_under_churn>() {
  static const scenario_code it{
      .key = id::exit_under_churn,
      .floors = {"floor_call_loop"},
      .all_peers = true,
      .at_exit = true,
      .pairs = [](int /*n*/) { return 3'000; },
      .run = &run_under_churn,
  };
  return it;
}

// How long does the exit take when the finalizers are of eight kinds, in random order?
//   bench_threadref --benchmark_filter=finalize/exit_mixed
// A loop over one callee is the best case for a branch predictor; real programs have several.
// 2026-11-20, amd-epyc-2c: the predictor learns the order at n:256, where the floor takes 1.7 ns as
// with one callee, but not at 4096: floor 8.4, back ends 11 to 29, the vectors 7.5.
template <>
const scenario_code& scenario_of<id::exit_mixed>() {
  static const scenario_code it =
      exit_of(id::exit_mixed, [](const subject_code& s, probe& at, int n, verdict& v) {
        static mix with;
        with.make_room(n);
        at.shared = &with;
        at.n = n;
        return s.run(at, s.exit_mixed, n, v);
      });
  return it;
}

}  // namespace threadref::bench
