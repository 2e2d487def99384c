// SPDX-License-Identifier: MIT
// How often a check repeats what it does.
#pragma once

#include <algorithm>

#include "threadref/config.hpp"

namespace threadref::testing {

inline constexpr bool under_sanitizer = detail::under_tsan || detail::under_asan;

// The checks contain the counts of a nightly run; other builds divide them by this. The only place
// where that is decided.
inline constexpr int nightly_divisor = detail::under_memcheck ? 1000 : under_sanitizer ? 100 : 20;

// `at_least`: with fewer repetitions the check could not fail.
constexpr int scaled(int nightly, int at_least = 1) {
  return std::max(nightly / nightly_divisor, at_least);
}

}  // namespace threadref::testing
