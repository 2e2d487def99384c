// SPDX-License-Identifier: MIT
// When a finalizer runs within the exit of its thread.
#pragma once

#include <cstdint>

namespace threadref {

//   early      Among the C++ thread_locals, while most of them can still be used. The first early
//              registration of a thread makes a thread_local destructor known to the C library,
//              which ends the process if it has no memory for that (glibc reports no error;
//              measured).
//   last       When the back end's exit hook fires; on most back ends, after all thread_locals.
//              finalize() uses this one.
//   very_last  In the last pass that is safe, after the registered destructors. For what others
//              still need while they clean up, such as an allocator's caches.
//
// Each phase runs newest first. A registration that comes too late for its phase runs in the next.
enum class exit_phase : std::uint8_t { early, last, very_last };

}  // namespace threadref
