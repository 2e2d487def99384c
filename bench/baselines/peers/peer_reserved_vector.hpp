// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "bench/baselines/peers/calling_list.hpp"
#include "bench/timing/probe.hpp"

namespace threadref::bench {

struct peer_reserved_vector {
  static constexpr std::string_view name = "peer_reserved_vector";
  static constexpr std::string_view summary = "the same, with room reserved for all of them";
  static constexpr std::string_view lacks =
      "as peer_vector; and somebody has to know beforehand how many there will be";

  static void arm(entry* /*storage*/, int n) {
    list().entries.reserve(static_cast<std::size_t>(n));
  }
  template <class C>
  [[gnu::always_inline]] static void add(C /*c*/, C* stored) {
    list().entries.push_back({&run_state<C>, stored});
  }

 private:
  using calling = calling_list<std::vector<entry>>;
  static calling& list() {
    thread_local calling own;
    return own;
  }
};

}  // namespace threadref::bench
