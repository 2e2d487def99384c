// SPDX-License-Identifier: MIT
// A class-type thread_local that shows whether it is alive.
#pragma once

namespace threadref::conformance {

// One for each tag. `alive` is trivial, and so readable at any time.
template <class Tag>
struct witness {
  static inline constinit thread_local bool alive = false;
  witness() { alive = true; }
  ~witness() { alive = false; }
  witness(const witness&) = delete;
  witness& operator=(const witness&) = delete;
  // Constructs the thread's own on the first call.
  static void construct() {
    static thread_local witness one;
    static_cast<void>(&one);
  }
};

}  // namespace threadref::conformance
