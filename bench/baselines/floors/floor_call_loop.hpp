// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "bench/baselines/floors/floor_bump_store.hpp"

namespace threadref::bench {

// The least that running n functions at a thread's end can cost: a loop of indirect calls, which is
// the thread's last statement.
struct floor_call_loop {
  static constexpr std::string_view name = "floor_call_loop";

  static void arm(entry* storage, int n) noexcept { floor_bump_store::arm(storage, n); }
  template <class C>
  [[gnu::always_inline]] static void add(C c, C* stored) noexcept {
    floor_bump_store::add(c, stored);
  }
  static void run() { floor_bump_store::run(); }
};

}  // namespace threadref::bench
