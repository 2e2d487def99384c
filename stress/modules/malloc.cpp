// SPDX-License-Identifier: MIT
// To be preloaded: malloc() and the like, which call a hook first.
#include "stress/modules/modules.hpp"
#include "testing/memory_hooks.hpp"

void threadref_stress_hook_allocation(void (*hook)() noexcept) {
  threadref::testing::set_allocation_hook(hook);
}
