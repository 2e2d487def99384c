// SPDX-License-Identifier: MIT
// On which CPUs the calling thread may run. A thread reuses what another one left on its CPU.
#pragma once

#include <sched.h>

#include <cstddef>

#include "testing/check.hpp"

namespace threadref::conformance {

inline cpu_set_t affinity() {
  cpu_set_t allowed;
  THREADREF_CHECK_ERRNO(sched_getaffinity(0, sizeof allowed, &allowed) == 0, "sched_getaffinity");
  return allowed;
}
inline void stay_on(std::size_t cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  THREADREF_CHECK_ERRNO(sched_setaffinity(0, sizeof one, &one) == 0, "sched_setaffinity");
}

}  // namespace threadref::conformance
