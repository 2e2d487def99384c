// SPDX-License-Identifier: MIT
// How often a check repeats what it does.
#pragma once

#include <algorithm>

#include "threadref/config.hpp"

namespace threadref::testing {

inline constexpr bool under_sanitizer = detail::under_tsan || detail::under_asan;

// The counts in the checks are those of a nightly run; this is the part of them that every build
// does. The one place where that is decided.
inline constexpr int nightly_divisor = detail::under_memcheck ? 1000 : under_sanitizer ? 100 : 20;

// `at_least`: with fewer the check could not fail.
constexpr int scaled(int nightly, int at_least = 1) {
  return std::max(nightly / nightly_divisor, at_least);
}

}  // namespace threadref::testing
