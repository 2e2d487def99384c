// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "baselines/floor_acquire_load.hpp"
#include "bodies/body.hpp"
#include "gate.hpp"

namespace threadref::bench {

// What does it cost to ask whether a thread still runs?
//   bench_threadref --benchmark_filter=ref/check
// Asked of a thread that lives (ns), and of the same thread once it is dead (dead_ns).
// 2026-11-20, amd-epyc-2c: 0.35 ns both, one acquire load 0.24.
template <>
struct body<id::ref_check> {
  using floors = type_list<floor_acquire_load>;
  using peers = type_list<>;
  static constexpr int times = 4096;
  static constexpr figures wanted = figures::per_operation;
  static constexpr int pairs(int /*n*/) { return 2'000; }
  static constexpr int most(int /*n*/) { return 1; }
  static constexpr double operations(int /*n*/) { return times; }

  template <class S>
  struct shared {
    gate made;
    gate released;
    std::optional<typename S::reference> of;
  };

  template <class S>
  static void routine(probe& at) {
    auto& with = *static_cast<shared<S>*>(at.shared);
    with.of.emplace();
    at.start = at.stop = now();
    with.made.open();
    with.released.pass();
  }

  template <class R>
  [[gnu::noinline]] static std::uint64_t count_expired(const R& r) {
    std::uint64_t expired = 0;
    for (int i = 0; i != times; ++i) expired += r.expired() ? 1U : 0U;
    return expired;
  }

  // A wrong answer counts as misordered: the ref says "dead" too early, or too late.
  template <class S>
  static sample take(probe& at, int /*n*/, verdict& v) {
    if constexpr (!requires { typename S::reference; }) {
      return take_floor();
    } else {
      shared<S> with;
      at.shared = &with;
      at.begin(&routine<S>, 0);
      with.made.pass();
      const instant before = now();
      const instant start = now();
      v.misordered += count_expired(*with.of);
      const instant stop = now();
      with.released.open();
      sample s = at.join(v);
      const instant again = now();
      v.misordered += times - count_expired(*with.of);
      s.total = now() - again;
      s.empty = start - before;
      s.region = stop - start;
      return s;
    }
  }
  static sample take_floor() {
    const instant before = now();
    const instant start = now();
    static_cast<void>(floor_acquire_load::rounds(times));
    const instant region = now() - start;
    return {region, start - before, region, 0};
  }

  template <class S>
  static void run(benchmark::State& state, session& all, const row& of) {
    measured m = measure_in_turns<id::ref_check, S>(state, all, of);
    std::sort(m.subject.total.begin(), m.subject.total.end());
    state.counters["dead_ns"] =
        (quantile(m.subject.total, 0.5) - trimmed_mean(m.subject.empty).value) / times;
    report(state, all, of, times, std::move(m), wanted);
  }
};

}  // namespace threadref::bench
