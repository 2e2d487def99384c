// SPDX-License-Identifier: MIT
// What must not get slower with the number of threads that are alive and registered.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "baselines/floor_empty_thread.hpp"
#include "baselines/floor_id_copy.hpp"
#include "baselines/peer_cxa_thread_atexit.hpp"
#include "baselines/peer_key_list.hpp"
#include "baselines/peer_reserved_vector.hpp"
#include "bodies/body.hpp"
#include "bodies/exit.hpp"
#include "residents.hpp"

namespace threadref::bench {

// What does a list of all live threads cost, for each of them?
//   bench_threadref --benchmark_filter=ref/enumerate
// Made and dropped; the floor copies as many numbers. The walk passes every block ever used at
// once, so the rows go from few threads to many.
// 2026-11-20, amd-epyc-2c: 0.5 us with 16 threads, 2 to 3 us with 10 000: a system call each.
template <>
struct body<id::ref_enumerate> {
  using floors = type_list<floor_id_copy>;
  using peers = type_list<>;
  static constexpr int pairs(int alive) { return std::clamp(1'000'000 / alive, 100, 2'000); }

  // Each thread once: a serial that comes twice stands in for one that is missing.
  template <class S>
  static void judge_list(int alive, verdict& v) {
    std::vector<std::uint64_t> serials;
    for (const auto& t : S::everyone()) serials.push_back(t.serial());
    std::sort(serials.begin(), serials.end());
    const auto last = std::unique(serials.begin(), serials.end());
    v.doubled += static_cast<std::uint64_t>(serials.end() - last);
    judge_size(static_cast<std::size_t>(last - serials.begin()), alive, v);
  }
  static void judge_size(std::size_t listed, int alive, verdict& v) {
    const auto due = static_cast<std::size_t>(alive);
    if (listed < due) v.lost += due - listed;
    if (listed > due) v.doubled += listed - due;
  }

  template <class F>
  static sample take(int alive, verdict& v, F make_list) {
    const instant before = now();
    const instant start = now();
    const std::size_t listed = make_list().size();
    const instant stop = now();
    judge_size(listed, alive, v);
    return {stop - start, start - before, 0, 0};
  }
  template <class F>
  static measured compare(benchmark::State& state, int alive, F make_list) {
    floor_id_copy floor(alive);
    return sample_pairs(
        state, alive, [&](verdict& v) { return take(alive, v, make_list); },
        [&](verdict& v) { return take(alive, v, [&] { return floor.everyone(); }); });
  }

  template <class S>
  static void run(benchmark::State& state, session& all, const row& of) {
    all.go_solo();
    measured m;
    if constexpr (subject<S>) {
      residents<S> others(of.n);
      if (!others.are_there()) return fail_without_threads(state, all);
      verdict of_list;
      judge_list<S>(of.n, of_list);
      m = compare(state, of.n, [] { return S::everyone(); });
      m.found.add(of_list);
      others.dismiss(m.found);
    } else {
      S floor(of.n);
      m = compare(state, of.n, [&] { return floor.everyone(); });
    }
    report(state, all, of, of.n, m, figures::per_operation);
  }
};

// How many threads with 16 finalizers can come and go in a second beside others?
//   bench_threadref --benchmark_filter=finalize/churn
// The others sleep, each registered with the same subject. One after the other, on one CPU: what
// two cores would make of it says more about them. The floor's threads register nothing.
// 2026-11-20, amd-epyc-2c: 57 000 a second with the default, 2 to 3 % less than without, beside
// 1, 1 000 or 10 000.
template <>
struct body<id::churn_rate> {
  using floors = type_list<floor_empty_thread>;
  using peers = type_list<peer_reserved_vector, peer_cxa_thread_atexit, peer_key_list>;
  static constexpr int finalizers = 16;
  static constexpr int batch = 16;  // threads in a sample
  static constexpr int pairs(int /*alive*/) { return 250; }

  template <subject S>
  static sample take(probe& at, verdict& v) {
    sample s;
    for (int i = 0; i != batch; ++i)
      s.region += at.run(&exit_routine<S>, registers_nothing<S> ? 0 : finalizers, v).life;
    return s;
  }

  template <subject S>
  static void run(benchmark::State& state, session& all, const row& of) {
    all.go_solo();
    residents<S> others(of.n);
    if (!others.are_there()) return fail_without_threads(state, all);
    probe at(finalizers);
    at.n = finalizers;
    measured m = sample_pairs(
        state, batch, [&](verdict& v) { return take<S>(at, v); },
        [&](verdict& v) { return take<floor_empty_thread>(at, v); });
    others.dismiss(m.found);
    report(state, all, of, batch, m, figures::per_operation);
    state.counters["n"] = finalizers;
    state.counters["threads_per_s"] = 1e9 / state.counters["ns"];
  }
};

}  // namespace threadref::bench
