// SPDX-License-Identifier: MIT
#pragma once

#include <mutex>
#include <string_view>

namespace threadref::bench {

// Access to another thread's list needs synchronization: an uncontended lock and unlock.
struct floor_mutex_pair {
  static constexpr std::string_view name = "floor_mutex_pair";

  [[gnu::noinline]] static void rounds(int n) {
    static constinit std::mutex m;
    for (int i = 0; i != n; ++i) {
      m.lock();
      m.unlock();
    }
  }
};

}  // namespace threadref::bench
