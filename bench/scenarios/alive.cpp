// SPDX-License-Identifier: MIT
// These must not get slower with the number of threads that are alive and registered.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "bench/baselines/floors/floor_id_copy.hpp"
#include "bench/load/registered_threads.hpp"
#include "bench/scenarios/scenario.hpp"

namespace threadref::bench {

namespace {

// ---------------------------------------------------------------------------- ref/enumerate

void judge_size(std::size_t listed, int alive, verdict& v) {
  const auto due = static_cast<std::size_t>(alive);
  if (listed < due) v.lost += due - listed;
  if (listed > due) v.doubled += listed - due;
}

// Checks that each thread is listed once: a duplicate serial could hide a missing one.
void judge_list(const subject_code& s, int alive, verdict& v) {
  std::vector<std::uint64_t> serials = s.serials_of_everyone();
  std::sort(serials.begin(), serials.end());
  const auto last = std::unique(serials.begin(), serials.end());
  v.doubled += static_cast<std::uint64_t>(serials.end() - last);
  judge_size(static_cast<std::size_t>(last - serials.begin()), alive, v);
}

template <class F>
sample take_list(int alive, verdict& v, F make_list) {
  const instant before = now();
  const instant start = now();
  const std::size_t listed = make_list();
  const instant stop = now();
  judge_size(listed, alive, v);
  return {stop - start, start - before, 0, 0};
}

template <class F>
measured compare_lists(benchmark::State& state, int alive, F make_list) {
  floor_id_copy floor(alive);
  return sample_pairs(
      state, alive, [&](verdict& v) { return take_list(alive, v, make_list); },
      [&](verdict& v) { return take_list(alive, v, [&] { return floor.everyone().size(); }); });
}

void run_enumerate(benchmark::State& state, session& session, const row& row,
                   const subject_code& s) {
  session.go_solo();
  measured m;
  if (s.count_everyone != nullptr) {
    registered_threads others(s, row.n);
    if (!others.all_started()) return fail_without_threads(state, session);
    verdict of_list;
    judge_list(s, row.n, of_list);
    m = compare_lists(state, row.n, s.count_everyone);
    m.found.add(of_list);
    others.join_all(m.found);
  } else {
    floor_id_copy floor(row.n);
    m = compare_lists(state, row.n, [&] { return floor.everyone().size(); });
  }
  report(state, session, row, row.n, m, figures::per_operation);
}

// ---------------------------------------------------------------------------- finalize/churn

constexpr int churn_finalizers = 16;
constexpr int churn_batch = 16;  // threads per sample

sample take_batch(const subject_code& s, probe& at, verdict& v) {
  sample taken;
  for (int i = 0; i != churn_batch; ++i)
    taken.region += s.run(at, s.exit, s.registers_nothing ? 0 : churn_finalizers, v).life;
  return taken;
}

void run_churn(benchmark::State& state, session& session, const row& row, const subject_code& s) {
  const subject_code& floor = subject_named("floor_empty_thread");
  session.go_solo();
  registered_threads others(s, row.n);
  if (!others.all_started()) return fail_without_threads(state, session);
  probe at(churn_finalizers);
  at.n = churn_finalizers;
  measured m = sample_pairs(
      state, churn_batch, [&](verdict& v) { return take_batch(s, at, v); },
      [&](verdict& v) { return take_batch(floor, at, v); });
  others.join_all(m.found);
  report(state, session, row, churn_batch, m, figures::per_operation);
  state.counters["n"] = churn_finalizers;
  state.counters["threads_per_s"] = 1e9 / state.counters["ns"];
}

}  // namespace

// What does a list of all live threads cost, for each of them?
//   bench_threadref --benchmark_filter=ref/enumerate
// The list is made and dropped; the floor copies as many numbers. The walk visits as many blocks as
// were ever in use at once, so the rows go from few threads to many.
// 2026-11-20, amd-epyc-2c: 0.5 us with 16 threads, 2 to 3 us with 10 000: a system call for each.
template <>
const scenario_code& scenario_of<id::ref_enumerate>() {
  static const scenario_code it{
      .key = id::ref_enumerate,
      .floors = {"floor_id_copy"},
      .pairs = [](int alive) { return std::clamp(1'000'000 / alive, 100, 2'000); },
      .run = &run_enumerate,
  };
  return it;
}

// How many threads with 16 finalizers can come and go in a second beside others?
//   bench_threadref --benchmark_filter=finalize/churn
// The others sleep, each registered with the same subject. The threads run one after the other on
// one CPU: with two, the figure would say more about the CPUs. The floor's threads register
// nothing.
// 2026-11-20, amd-epyc-2c: 57 000 a second with the default, 2 to 3 % less than without, beside 1,
// 1 000 or 10 000 others.
template <>
const scenario_code& scenario_of<id::churn_rate>() {
  static const scenario_code it{
      .key = id::churn_rate,
      .floors = {"floor_empty_thread"},
      .peers = {"peer_reserved_vector", "peer_cxa_thread_atexit", "peer_key_list"},
      .pairs = [](int /*alive*/) { return 100; },
      .run = &run_churn,
  };
  return it;
}

}  // namespace threadref::bench
