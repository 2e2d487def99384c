// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <thread>

namespace threadref::testing {

// Gives the core to other threads for an instant (some 50 us). Unlike a yield it costs no time
// slice on a busy machine. Not for waiting: it promises nothing about what the others do meanwhile.
inline void brief_pause() {
  std::this_thread::sleep_for(std::chrono::nanoseconds(1));
}

}  // namespace threadref::testing
