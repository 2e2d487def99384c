// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "bench/subjects/removal_kind.hpp"
#include "bench/timing/probe.hpp"

namespace threadref::bench {

// The least that storing a function can cost: two words are written to the end of a list behind a
// thread_local pointer. There is no handle, no growth and no exit hook.
struct floor_bump_store {
  static constexpr std::string_view name = "floor_bump_store";

  static void arm(entry* storage, int /*n*/) noexcept {
    own_ = &list_;
    own_->bottom = own_->top = storage;
  }
  template <class C>
  [[gnu::always_inline]] static void add(C /*c*/, C* stored) noexcept {
    *own_->top++ = {&run_state<C>, stored};
  }
  template <removal R, class C>
  [[gnu::always_inline]] static bool add_then_remove(C c, C* stored) {
    add(c, stored);
    asm volatile("" ::: "memory");  // otherwise the compiler removes both halves
    const entry* const newest = --own_->top;
    if constexpr (R == removal::call) newest->fn(newest->arg);
    return true;
  }
  [[gnu::noinline]] static void run() {
    const list& l = *own_;
    for (entry* at = l.top; at != l.bottom;) {
      --at;
      at->fn(at->arg);
    }
  }

 private:
  struct list {
    entry* top;
    entry* bottom;
  };
  static inline constinit thread_local list list_{};
  // A pointer, not list_ itself: a chain of loads and stores relative to the thread register is
  // slower on some processors (1.9 instead of 0.9 ns) and so would not be a floor.
  static inline constinit thread_local list* own_ = nullptr;
};

}  // namespace threadref::bench
