// SPDX-License-Identifier: MIT
#include "stress/faults/faults.hpp"

extern "C" void threadref_stress_watch_memory(threadref::testing::memory_watch* watch) {
  threadref::testing::watch_memory(watch);
}
