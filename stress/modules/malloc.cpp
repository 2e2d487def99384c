// SPDX-License-Identifier: MIT
// To be preloaded: malloc and its kin, with somebody else inside.
#include "stress/modules/modules.hpp"
#include "testing/memory_hooks.hpp"

void threadref_stress_hook_allocation(void (*hook)() noexcept) {
  threadref::testing::set_allocation_hook(hook);
}
