// SPDX-License-Identifier: MIT
// A thread asks by a ref about another one, that lives (ns) and once it is dead (dead_ns).
#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "baselines/floor_acquire_load.hpp"
#include "baselines/floor_counter_pair.hpp"
#include "baselines/peer_weak_ptr.hpp"
#include "bodies/body.hpp"
#include "gate.hpp"

namespace threadref::bench {

// How it is asked.
struct by_check {
  using floor = floor_acquire_load;
  template <class R>
  [[gnu::always_inline]] static bool is_dead(const R& r) {
    return r.expired();
  }
};
struct by_lock {
  using floor = floor_counter_pair;
  template <class R>
  [[gnu::always_inline]] static bool is_dead(const R& r) {
    return !r.lock();
  }
};

template <id K, class Question>
struct asked_of_ref {
  using floors = type_list<typename Question::floor>;
  using peers = type_list<peer_weak_ptr>;
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
  [[gnu::noinline]] static std::uint64_t count_dead(const R& r) {
    std::uint64_t dead = 0;
    for (int i = 0; i != times; ++i) dead += Question::is_dead(r) ? 1U : 0U;
    return dead;
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
      v.misordered += count_dead(*with.of);
      const instant stop = now();
      with.released.open();
      sample s = at.join(v);
      const instant again = now();
      v.misordered += times - count_dead(*with.of);
      s.total = now() - again;
      s.empty = start - before;
      s.region = stop - start;
      return s;
    }
  }
  static sample take_floor() {
    const instant before = now();
    const instant start = now();
    static_cast<void>(Question::floor::rounds(times));
    const instant region = now() - start;
    return {region, start - before, region, 0};
  }

  template <class S>
  static void run(benchmark::State& state, session& all, const row& of) {
    measured m = measure_in_turns<K, S>(state, all, of);
    std::sort(m.subject.total.begin(), m.subject.total.end());
    state.counters["dead_ns"] =
        (quantile(m.subject.total, 0.5) - trimmed_mean(m.subject.empty).value) / times;
    report(state, all, of, times, std::move(m), wanted);
  }
};

// What does it cost to ask whether a thread still runs?
//   bench_threadref --benchmark_filter=ref/check
// 2026-11-20, amd-epyc-2c: 0.35 to 0.48 ns both, one acquire load 0.25, weak_ptr::expired 0.27.
template <>
struct body<id::ref_check> : asked_of_ref<id::ref_check, by_check> {};

// What does it cost to take hold of a thread by a ref, and to let it go?
//   bench_threadref --benchmark_filter=ref/lock
// 2026-11-20, amd-epyc-2c: 45 ns, the floor 9.5, weak_ptr::lock 12.
template <>
struct body<id::ref_lock> : asked_of_ref<id::ref_lock, by_lock> {};

}  // namespace threadref::bench
