// SPDX-License-Identifier: MIT
// What the bodies of sweeps share: they take the samples of another row, while something else
// varies around them.
#pragma once

#include <algorithm>
#include <vector>

#include "bodies/exit.hpp"
#include "bodies/registration.hpp"

namespace threadref::bench {

// More samples than rows have values would make a sweep last for an hour; what is short needs more.
constexpr int sweep_pairs(int n) {
  return n < 256 ? 4'000 : n < 4096 ? 1'000 : 100;
}

// 256 at a time: long enough for a clock that ticks in tens of ns.
template <id Timed>
struct sweep_body {
  using timed = body<Timed>;
  using floors = typename timed::floors;
  using peers = type_list<peer_reserved_vector, peer_cxa_thread_atexit, peer_key_list>;
  static constexpr int count = 256;
  static constexpr figures wanted = timed::wanted;
  static constexpr int pairs(int /*value*/) { return sweep_pairs(count); }
  static constexpr int most(int /*value*/) { return timed::most(count); }
  static constexpr double operations(int /*value*/) { return count; }

  template <subject S>
  static sample take(probe& at, int /*value*/, verdict& v) {
    return timed::template take<S>(at, count, v);
  }
};

// The sizes of a row that stand for threads, as far as there can be so many here.
inline std::vector<int> sizes_with_room(id k) {
  constexpr std::size_t default_stack = 8U << 20U;
  const scenarios::size_list& listed = scenarios::row(k).finalizers;
  const int room = scenarios::room_for_threads(listed.real(), default_stack).threads;
  std::vector<int> sizes;
  for (const int n : listed) {
    if (sizes.empty() || sizes.back() < room) sizes.push_back(std::min(n, room));
  }
  return sizes;
}

// With `Around(value)` alive meanwhile.
template <id K, class Around, class S>
void report_among(benchmark::State& state, session& all, const row& of) {
  or_say_why(state, all, [&] {
    const Around here(of.n);
    measure_and_report<K, S>(state, all, of);
  });
}

}  // namespace threadref::bench
