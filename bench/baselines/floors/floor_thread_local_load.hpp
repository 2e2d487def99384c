// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace threadref::bench {

// The least that it can cost to see whether the calling thread is known: one load of a thread_local
// pointer and a comparison.
struct floor_thread_local_load {
  static constexpr std::string_view name = "floor_thread_local_load";

  static void know(void* record) noexcept { own_ = record; }
  [[gnu::always_inline]] static bool is_known() noexcept { return own_ != nullptr; }

 private:
  static inline constinit thread_local void* own_ = nullptr;
};

}  // namespace threadref::bench
