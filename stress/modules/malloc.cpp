// SPDX-License-Identifier: MIT
// To be preloaded: malloc and its kin, with somebody else inside.
#include "conformance/memory_hooks.hpp"
#include "modules/modules.hpp"

void threadref_stress_hook_allocation(void (*hook)() noexcept) {
  threadref::conformance::set_allocation_hook(hook);
}
