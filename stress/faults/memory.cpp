// SPDX-License-Identifier: MIT
#include "faults/faults.hpp"

extern "C" void threadref_stress_watch_memory(threadref::conformance::memory_watch* watch) {
  threadref::conformance::watch_memory(watch);
}
