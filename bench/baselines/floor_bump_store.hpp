// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "probe.hpp"

namespace threadref::bench {

// The least that remembering a function can cost: two words stored where a thread_local pointer
// points. No handle, no growth, and nobody tells it of the thread's exit.
struct floor_bump_store {
  static constexpr std::string_view name = "floor_bump_store";

  static void arm(entry* storage, int /*n*/) noexcept { bottom_ = top_ = storage; }
  template <class C>
  [[gnu::always_inline]] static void add(C /*c*/, C* kept) noexcept {
    *top_++ = {&run_state<C>, kept};
  }
  template <class C>
  [[gnu::always_inline]] static bool add_and_cancel(C c, C* kept) noexcept {
    add(c, kept);
    asm volatile("" ::: "memory");  // else the two halves cancel out at compile time
    --top_;
    return true;
  }
  [[gnu::noinline]] static void run() {
    for (entry* at = top_; at != bottom_;) {
      --at;
      at->fn(at->arg);
    }
  }

 private:
  static inline constinit thread_local entry* top_ = nullptr;
  static inline constinit thread_local entry* bottom_ = nullptr;
};

}  // namespace threadref::bench
