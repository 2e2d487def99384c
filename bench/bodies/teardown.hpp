// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <deque>
#include <thread>

#include "baselines/floor_empty_thread.hpp"
#include "bodies/body.hpp"
#include "tree.hpp"

namespace threadref::bench {

// A finalizer that waits for something outside: a file that is flushed, a peer that is told.
struct waiting_finalizer {
  static constexpr std::chrono::microseconds time{200};
  void operator()() const noexcept { std::this_thread::sleep_for(time); }
};

// Trees are grown anew for each sample, each worker with a few finalizers, and torn down when all
// have registered. The floor's workers register nothing, and wait themselves, where that is asked.
template <id K, workers::teardown How, bool Waits>
struct torn_down {
  using floors = type_list<floor_empty_thread>;
  using peers = type_list<>;
  static constexpr int finalizers = 4;
  static constexpr bool is_free = true;
  static constexpr int pairs(int workers) {
    return Waits ? 20 : std::clamp(4'000 / workers, 20, 100);
  }

  template <subject S>
  static void begin(account& at, int n) {
    register_range<S>(at.done, 0, n);
    if constexpr (Waits) {
      static waiting_finalizer kept;
      S::add(waiting_finalizer{}, &kept);
    }
  }
  template <subject S>
  static constexpr worker_duty duty() {
    if constexpr (registers_nothing<S>) {
      constexpr auto wait = [] { waiting_finalizer{}(); };
      return {&begin<S>, Waits ? +wait : nullptr, 0};
    } else {
      return {&begin<S>, nullptr, finalizers};
    }
  }
  template <subject S>
  static instant take(std::deque<account>& each, workers::teardown how, verdict& v) {
    return tree(each, how, duty<S>()).tear_down(v);
  }

  // Where all are stopped at once, one by one is taken beside it, in turns.
  template <subject S>
  static sample take_both(std::deque<account>& each, bool serial_first, verdict& v) {
    sample s;
    if (serial_first) s.total = take<S>(each, workers::teardown::serial, v);
    s.region = take<S>(each, How, v);
    if (!serial_first) s.total = take<S>(each, workers::teardown::serial, v);
    return s;
  }
  static void compare(benchmark::State& state, const measured& m) {
    samples serial = m.subject.total;
    samples ratios;
    for (std::size_t i = 0; i != serial.size(); ++i)
      ratios.push_back(m.subject.region[i] / serial[i]);
    std::sort(serial.begin(), serial.end());
    std::sort(ratios.begin(), ratios.end());
    const interval ratio = median_interval(ratios);
    state.counters["serial_ns"] = quantile(serial, 0.5);
    state.counters["serial_ratio"] = ratio.middle;
    state.counters["serial_ratio_low"] = ratio.low;
    state.counters["serial_ratio_high"] = ratio.high;
  }

  template <subject S>
  static void run(benchmark::State& state, session& all, const row& of) {
    constexpr bool is_serial = How == workers::teardown::serial;
    all.go_free();
    or_say_why(state, all, [&] {
      std::deque<account> each;
      for (int i = 0; i != of.n; ++i) each.emplace_back(finalizers);
      bool serial_first = false;
      const measured m = sample_pairs(
          state, 1,
          [&](verdict& v) {
            serial_first = !serial_first;
            return is_serial ? sample{.region = take<S>(each, How, v)}
                             : take_both<S>(each, serial_first, v);
          },
          [&](verdict& v) { return sample{.region = take<floor_empty_thread>(each, How, v)}; });
      if constexpr (!is_serial) compare(state, m);
      report(state, all, of, 1, m, figures::per_operation);
    });
  }
};

// How long does it take to tear down a tree of workers, one after the other?
//   bench_threadref --benchmark_filter=worker/teardown_serial/
// A worker stops a child, joins it, and goes on to the next. From the root's stop() to its join().
// 2026-11-21, a Xeon's two cores: 12 to 28 us a worker: a wake-up, an end, a join.
// Shows: PW-16.
template <>
struct body<id::teardown_serial>
    : torn_down<id::teardown_serial, workers::teardown::serial, false> {};

// How long does it take where all of them are stopped before the first one is joined?
//   bench_threadref --benchmark_filter=worker/teardown_broadcast/
// 2026-11-21, a Xeon's two cores: 0.7 to 1.0 of one after the other.
// Shows: PW-16.
template <>
struct body<id::teardown_broadcast>
    : torn_down<id::teardown_broadcast, workers::teardown::broadcast, false> {};

// How long do both take when one finalizer of each worker waits for 200 us?
//   bench_threadref --benchmark_filter=worker/teardown_.*_waiting/
// A parent's finalizers wait until all of its children's have run, so this lasts for as many waits
// as the tree is deep; the floor's workers wait before they join their children, in two.
// 2026-11-21, a Xeon's two cores: all at once takes 0.28 of one after the other with 15 workers,
// 0.10 with 85.
template <>
struct body<id::teardown_serial_waiting>
    : torn_down<id::teardown_serial_waiting, workers::teardown::serial, true> {};
template <>
struct body<id::teardown_broadcast_waiting>
    : torn_down<id::teardown_broadcast_waiting, workers::teardown::broadcast, true> {};

}  // namespace threadref::bench
