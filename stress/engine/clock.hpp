// SPDX-License-Identifier: MIT
// For durations. No time of day.
#pragma once

#include <chrono>

namespace threadref::stress {

// In seconds; only differences mean anything. Callable on any thread.
inline double now() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace threadref::stress
