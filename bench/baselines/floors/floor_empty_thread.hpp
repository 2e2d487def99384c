// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "bench/timing/probe.hpp"

namespace threadref::bench {

// A thread that registers nothing: the cost of its creation, end and join alone.
struct floor_empty_thread {
  static constexpr std::string_view name = "floor_empty_thread";
  static constexpr bool registers_nothing = true;

  static void arm(entry* /*storage*/, int /*n*/) noexcept {}
  template <class C>
  static void add(C /*c*/, C* /*stored*/) noexcept {}
};

}  // namespace threadref::bench
