// SPDX-License-Identifier: MIT
// A class-type thread_local that says whether it lives.
#pragma once

namespace threadref::conformance {

// One for each tag. Whether it lives is readable at any time, since that is trivial.
template <class Tag>
struct witness {
  static inline constinit thread_local bool alive = false;
  witness() { alive = true; }
  ~witness() { alive = false; }
  witness(const witness&) = delete;
  witness& operator=(const witness&) = delete;
  // Constructs the thread's own the first time.
  static void construct() {
    static thread_local witness one;
    static_cast<void>(&one);
  }
};

}  // namespace threadref::conformance
