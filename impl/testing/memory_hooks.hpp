// SPDX-License-Identifier: MIT
// Counts a thread's allocations, and makes them fail. Not for programs with a sanitizer, which must
// be the allocator itself.
#pragma once

namespace threadref::testing {

// The allocations of the threads that use this watch: calls of malloc and related functions by any
// code, and calls of mmap by the program and the library (not by glibc).
struct memory_watch {
  long asked = 0;
  long fails_at = 0;         // the number of the call that fails; 0: none
  bool fails_after = false;  // all later ones fail, too
  long failed = 0;
};

// From now on the calling thread's allocations are counted there; null: nowhere. The watch must
// live as long as the thread, which still allocates at its very end.
void watch_memory(memory_watch* watch) noexcept;

// Called at the start of each malloc and related function, on all threads, before it is decided
// whether the call fails; null: none.
using allocation_hook = void (*)() noexcept;
void set_allocation_hook(allocation_hook hook) noexcept;

}  // namespace threadref::testing
