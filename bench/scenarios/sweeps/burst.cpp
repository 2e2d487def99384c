// SPDX-License-Identifier: MIT
#include <deque>
#include <utility>

#include "bench/scenarios/sweeps/sweep.hpp"

namespace threadref::bench {

namespace {

constexpr int each = 4;  // finalizers of a thread

sample take_herd(const subject_code& s, std::deque<probe>& herd, verdict& v) {
  const int registered = s.registers_nothing ? 0 : each;
  const instant before = now();
  for (probe& at : herd) {
    at.n = registered;
    at.begin(s.exit, registered);
  }
  for (probe& at : herd) at.join(v);
  const instant whole = now() - before;
  return {whole, 0, whole, whole};
}

void run(benchmark::State& state, session& all, const row& of, const subject_code& s) {
  const subject_code& floor = subject_named("floor_empty_thread");
  all.go_with_crowd(0);
  std::deque<probe> herd;
  for (int i = 0; i != of.n; ++i) herd.emplace_back(each);
  measured m = sample_pairs(
      state, of.n, [&](verdict& v) { return take_herd(s, herd, v); },
      [&](verdict& v) { return take_herd(floor, herd, v); });
  report(state, all, of, of.n, std::move(m), figures::per_operation);
  const double ns = state.counters["ns"];
  if (ns > 0) state.counters["threads_per_s"] = 1e9 / ns;
}

}  // namespace

// How fast do threads come and go that nobody waits for in between?
//   bench_threadref --benchmark_filter=sweep/herd
// Each registers four and ends; all are joined when the last one was created. A sample is a herd,
// its floor a herd of threads that do nothing; ns and ratio are those of one thread.
template <>
const body& body_of<id::sweep_burst>() {
  static const body it{
      .key = id::sweep_burst,
      .floors = {"floor_empty_thread"},
      .peers = {"peer_reserved_vector", "peer_cxa_thread_atexit", "peer_key_list"},
      .is_free = true,
      .pairs = [](int threads) { return threads < 1000 ? 50 : 4; },
      .values = [](const session& /*all*/) { return sizes_with_room(id::sweep_burst); },
      .run = &run,
  };
  return it;
}

}  // namespace threadref::bench
