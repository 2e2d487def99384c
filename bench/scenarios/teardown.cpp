// SPDX-License-Identifier: MIT
// Each sample creates a new tree, in which each worker registers a few finalizers, and tears it
// down once all have registered. The floor's workers register nothing; where finalizers wait, they
// wait themselves.
#include <algorithm>
#include <deque>

#include "bench/load/worker_tree.hpp"
#include "bench/scenarios/scenario.hpp"
#include "bench/subjects/finalizers.hpp"

namespace threadref::bench {

namespace {

constexpr int finalizers = 4;

void wait_here() {
  waiting_finalizer{}();
}

worker_duty duty_of(const subject_code& s, bool waits) {
  if (s.registers_nothing) return {s, 0, false, waits ? &wait_here : nullptr};
  return {s, finalizers, waits, nullptr};
}

struct torn_down {
  const subject_code& subject;
  workers::teardown how;
  bool waits;

  instant take(std::deque<account>& each, workers::teardown policy, verdict& v) const {
    return worker_tree(each, policy, duty_of(subject, waits)).tear_down(v);
  }
  // Measures the other policy and the serial one, in changing order.
  sample take_both(std::deque<account>& each, bool serial_first, verdict& v) const {
    sample s;
    if (serial_first) s.total = take(each, workers::teardown::serial, v);
    s.region = take(each, how, v);
    if (!serial_first) s.total = take(each, workers::teardown::serial, v);
    return s;
  }
};

void compare(benchmark::State& state, const measured& m) {
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

template <workers::teardown How, bool Waits>
void run(benchmark::State& state, session& session, const row& row, const subject_code& s) {
  constexpr bool is_serial = How == workers::teardown::serial;
  const torn_down timed{s, How, Waits};
  const torn_down floor{subject_named("floor_empty_thread"), How, Waits};
  session.go_free();
  fail_with_reason(state, session, [&] {
    std::deque<account> each;
    for (int i = 0; i != row.n; ++i) each.emplace_back(finalizers);
    bool serial_first = false;
    const measured m = sample_pairs(
        state, 1,
        [&](verdict& v) {
          serial_first = !serial_first;
          return is_serial ? sample{.region = timed.take(each, How, v)}
                           : timed.take_both(each, serial_first, v);
        },
        [&](verdict& v) { return sample{.region = floor.take(each, How, v)}; });
    if constexpr (!is_serial) compare(state, m);
    report(state, session, row, 1, m, figures::per_operation);
  });
}

template <workers::teardown How, bool Waits>
scenario_code teardown_scenario(id key) {
  return {
      .key = key,
      .floors = {"floor_empty_thread"},
      .is_free = true,
      .pairs = [](int workers) { return Waits ? 20 : std::clamp(4'000 / workers, 20, 100); },
      .run = &run<How, Waits>,
  };
}

}  // namespace

// How long does it take to tear down a tree of workers, one after the other?
//   bench_threadref --benchmark_filter=worker/teardown_serial/
// A worker stops a child, joins it, and goes on to the next. Timed from the root's stop() to its
// join().
// 2026-11-21, two cores of a Xeon: 12 to 28 us per worker: a wake-up, an end, a join.
// Shows: PW-16.
template <>
const scenario_code& scenario_of<id::teardown_serial>() {
  static const scenario_code it =
      teardown_scenario<workers::teardown::serial, false>(id::teardown_serial);
  return it;
}

// How long does it take if all of them are stopped before the first one is joined?
//   bench_threadref --benchmark_filter=worker/teardown_broadcast/
// 2026-11-21, two cores of a Xeon: 0.7 to 1.0 of the serial time.
// Shows: PW-16.
template <>
const scenario_code& scenario_of<id::teardown_broadcast>() {
  static const scenario_code it =
      teardown_scenario<workers::teardown::broadcast, false>(id::teardown_broadcast);
  return it;
}

// How long do both take when one finalizer of each worker waits for 200 us?
//   bench_threadref --benchmark_filter=worker/teardown_.*_waiting/
// A parent's finalizers run after all of its children's, so stopping all at once lasts for as many
// waits as the tree has levels. The floor's workers wait before they join their children.
// 2026-11-21, two cores of a Xeon: stopping all at once takes 0.28 of the serial time with 15
// workers, 0.10 with 85.
template <>
const scenario_code& scenario_of<id::teardown_serial_waiting>() {
  static const scenario_code it =
      teardown_scenario<workers::teardown::serial, true>(id::teardown_serial_waiting);
  return it;
}
template <>
const scenario_code& scenario_of<id::teardown_broadcast_waiting>() {
  static const scenario_code it =
      teardown_scenario<workers::teardown::broadcast, true>(id::teardown_broadcast_waiting);
  return it;
}

}  // namespace threadref::bench
