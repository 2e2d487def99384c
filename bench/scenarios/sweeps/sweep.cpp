// SPDX-License-Identifier: MIT
#include "bench/scenarios/sweeps/sweep.hpp"

#include <algorithm>
#include <cstddef>

namespace threadref::bench {

namespace {

scenario_code sweep_scenario(id key) {
  return {
      .key = key,
      .peers = {"peer_reserved_vector", "peer_cxa_thread_atexit", "peer_key_list"},
      .pairs = [](int /*value*/) { return sweep_pairs(swept_count); },
      .operations = [](int /*value*/) -> double { return swept_count; },
  };
}

}  // namespace

scenario_code sweep_of_registration(id key) {
  scenario_code made = sweep_scenario(key);
  made.floors = {"floor_bump_store"};
  made.most = [](int /*value*/) { return swept_count + 1; };
  made.take = [](const subject_code& s, probe& at, int /*value*/, verdict& v) {
    at.n = swept_count;
    return s.run(at, s.registration, swept_count + 1, v);
  };
  return made;
}

scenario_code sweep_of_exit(id key) {
  scenario_code made = sweep_scenario(key);
  made.floors = {"floor_call_loop"};
  made.wanted = figures::exit_latency;
  made.most = [](int /*value*/) { return swept_count; };
  made.take = [](const subject_code& s, probe& at, int /*value*/, verdict& v) {
    at.n = swept_count;
    return s.run(at, s.exit, swept_count, v);
  };
  return made;
}

std::vector<int> sizes_with_room(id k) {
  constexpr std::size_t default_stack = 8U << 20U;
  const scenarios::size_list& listed = scenarios::row(k).finalizers;
  const int room = testing::room_for_threads(listed.real(), default_stack).threads;
  std::vector<int> sizes;
  for (const int n : listed) {
    if (sizes.empty() || sizes.back() < room) sizes.push_back(std::min(n, room));
  }
  return sizes;
}

}  // namespace threadref::bench
