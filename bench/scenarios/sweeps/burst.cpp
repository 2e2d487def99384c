// SPDX-License-Identifier: MIT
#include <deque>
#include <utility>

#include "bench/scenarios/sweeps/sweep.hpp"

namespace threadref::bench {

namespace {

constexpr int each = 4;  // finalizers per thread

sample take_burst(const subject_code& s, std::deque<probe>& burst, verdict& v) {
  const int registered = s.registers_nothing ? 0 : each;
  const instant before = now();
  for (probe& at : burst) {
    at.n = registered;
    at.begin(s.exit, registered);
  }
  for (probe& at : burst) at.join(v);
  const instant whole = now() - before;
  return {whole, 0, whole, whole};
}

void run(benchmark::State& state, session& session, const row& row, const subject_code& s) {
  const subject_code& floor = subject_named("floor_empty_thread");
  session.go_with_idle(0);
  std::deque<probe> burst;
  for (int i = 0; i != row.n; ++i) burst.emplace_back(each);
  measured m = sample_pairs(
      state, row.n, [&](verdict& v) { return take_burst(s, burst, v); },
      [&](verdict& v) { return take_burst(floor, burst, v); });
  report(state, session, row, row.n, std::move(m), figures::per_operation);
  const double ns = state.counters["ns"];
  if (ns > 0) state.counters["threads_per_s"] = 1e9 / ns;
}

}  // namespace

// How fast do threads come and go if none is joined before all have been created?
//   bench_threadref --benchmark_filter=sweep/herd
// Each thread registers four finalizers and ends; all are joined once the last one has been
// created. A sample is a burst, and its floor a burst of threads that do nothing; ns and ratio are
// per thread.
template <>
const scenario_code& scenario_of<id::sweep_burst>() {
  static const scenario_code it{
      .key = id::sweep_burst,
      .floors = {"floor_empty_thread"},
      .peers = {"peer_reserved_vector", "peer_cxa_thread_atexit", "peer_key_list"},
      .is_free = true,
      .pairs = [](int threads) { return threads < 1000 ? 50 : 4; },
      .values = [](const session& /*session*/) { return sizes_with_room(id::sweep_burst); },
      .run = &run,
  };
  return it;
}

}  // namespace threadref::bench
