// SPDX-License-Identifier: MIT
#include <omp.h>

#include "stress/modules/modules.hpp"

namespace {

constexpr threadref::stress::pool_interface exported{
    .start = [](int /*workers*/) -> void* { return nullptr; },
    .enqueue =
        [](void* /*pool*/, int workers, void (*task)(void*), void* with) {
          [[maybe_unused]] const int team = workers + 1;  // unused without OpenMP
#pragma omp parallel num_threads(team)
          // Thread 0 of the team is the calling thread.
          if (omp_get_thread_num() != 0) task(with);
        },
    .end = [](void* /*pool*/) { return omp_pause_resource_all(omp_pause_hard) == 0; }};

}  // namespace

const threadref::stress::pool_interface* threadref_stress_pool() {
  return &exported;
}
