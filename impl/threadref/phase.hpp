// SPDX-License-Identifier: MIT
// When, within its thread's exit, a finalizer runs.
#pragma once

#include <cstdint>

namespace threadref {

// early: with the C++ thread_locals, where most of them can still be used; a thread that uses it
// registers one with the C library, which ends the process if it has no memory for that (glibc
// gives no error; measured). last (what finalize() means): when the back end's hook fires, on most
// of them after all thread_locals. very_last: in the last pass that is safe, after the registered
// destructors; for what others still need while they clean up, as an allocator's caches.
//
// Newest first holds inside each. What comes too late for its phase goes to the next one to come.
enum class exit_phase : std::uint8_t { early, last, very_last };

}  // namespace threadref
