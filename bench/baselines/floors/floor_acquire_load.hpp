// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace threadref::bench {

// Any question about another thread takes at least one load and a comparison with a known value.
struct floor_acquire_load {
  static constexpr std::string_view name = "floor_acquire_load";

  [[gnu::noinline]] static int rounds(int n) {
    static constinit std::atomic<std::uint64_t> live{1};
    int different = 0;
    for (int i = 0; i != n; ++i) different += live.load(std::memory_order_acquire) != 1 ? 1 : 0;
    return different;
  }
};

}  // namespace threadref::bench
