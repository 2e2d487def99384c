// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace threadref::bench {

// Whether a thread is known takes one thread_local load at least, and a comparison.
struct floor_own_load {
  static constexpr std::string_view name = "floor_own_load";

  [[gnu::always_inline]] static bool ensure() { return own_ != nullptr; }

 private:
  static inline constinit thread_local const void* own_ = &name;
};

}  // namespace threadref::bench
