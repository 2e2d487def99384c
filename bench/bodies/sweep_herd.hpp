// SPDX-License-Identifier: MIT
#pragma once

#include <deque>

#include "bodies/sweep.hpp"

namespace threadref::bench {

// How fast do threads come and go that nobody waits for in between?
//   bench_threadref --benchmark_filter=sweep/herd
// Each registers four and ends; all are joined when the last one was created. A sample is a herd,
// its floor a herd of threads that do nothing; ns and ratio are those of one thread.
template <>
struct body<id::sweep_herd> {
  using floors = type_list<floor_empty_thread>;
  using peers = sweep_body<id::exit_solo>::peers;
  static constexpr int each = 4;
  static constexpr bool is_free = true;
  static constexpr int pairs(int threads) { return threads < 1000 ? 50 : 4; }
  static std::vector<int> values(const session& /*all*/) { return sizes_with_room(id::sweep_herd); }

  template <subject S>
  static sample take(std::deque<probe>& herd, verdict& v) {
    constexpr int registered = std::is_same_v<S, floor_empty_thread> ? 0 : each;
    const instant before = now();
    for (probe& at : herd) {
      at.n = registered;
      at.begin(&exit_routine<S>, registered);
    }
    for (probe& at : herd) at.join(v);
    const instant whole = now() - before;
    return {whole, 0, whole, whole};
  }

  template <subject S>
  static void run(benchmark::State& state, session& all, const row& of) {
    all.go_with_crowd(0);
    std::deque<probe> herd;
    for (int i = 0; i != of.n; ++i) herd.emplace_back(each);
    measured m = sample_pairs(
        state, of.n, [&](verdict& v) { return take<S>(herd, v); },
        [&](verdict& v) { return take<floor_empty_thread>(herd, v); });
    report(state, all, of, of.n, std::move(m), figures::per_operation);
    const double ns = state.counters["ns"];
    if (ns > 0) state.counters["threads_per_s"] = 1e9 / ns;
  }
};

}  // namespace threadref::bench
