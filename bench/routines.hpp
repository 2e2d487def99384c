// SPDX-License-Identifier: MIT
// What the threads of several bodies do. Without Google Benchmark, for the shared libraries of the
// access sweep.
#pragma once

#include "subject.hpp"

namespace threadref::bench {

// A thread that registers n more where it has one.
template <subject S>
void registration_routine(probe& at) {
  S::arm(at.storage(), at.n + 1);
  register_range<S>(at.done, 0, 1);
  at.start = now();
  register_range<S>(at.done, 1, at.n + 1);
  at.stop = now();
  leave<S>();
}

// A thread with n finalizers; its last statement starts the clock, its last finalizer stops it.
template <subject S>
void exit_routine(probe& at) {
  S::arm(at.storage(), at.n);
  register_range<S>(at.done, 0, at.n);
  at.start = now();
  leave<S>();
}

}  // namespace threadref::bench
