// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace threadref::bench {

// An object that any thread may hold and release needs a count: one atomic increment and one
// decrement.
struct floor_counter_pair {
  static constexpr std::string_view name = "floor_counter_pair";

  [[gnu::noinline]] static int rounds(int n) {
    static constinit std::atomic<std::uint64_t> holders{1};
    int last = 0;
    for (int i = 0; i != n; ++i) {
      holders.fetch_add(1, std::memory_order_relaxed);
      last += holders.fetch_sub(1, std::memory_order_acq_rel) == 1 ? 1 : 0;
    }
    return last;
  }
};

}  // namespace threadref::bench
