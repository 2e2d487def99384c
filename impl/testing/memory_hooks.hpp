// SPDX-License-Identifier: MIT
// Sees, and fails, a thread's calls for memory. For programs without a sanitizer, which would want
// to be the allocator itself.
#pragma once

namespace threadref::testing {

// What becomes of the calls for memory of the threads that were shown it: malloc and its kin, by
// whoever calls them, and the program's own mmap (the library's; glibc's do not come by here).
struct memory_watch {
  long asked = 0;
  long fails_at = 0;         // the number of the call that fails; 0: none
  bool fails_after = false;  // so do all later ones
  long failed = 0;
};

// From here on the calling thread's calls are counted there; null: nowhere. What it points to must
// live as long as the thread, which also asks for memory in its very last moments.
void watch_memory(memory_watch* watch) noexcept;

// Called at the start of each malloc and its kin, on all threads, before anything is decided; null:
// nothing is.
using allocation_hook = void (*)() noexcept;
void set_allocation_hook(allocation_hook hook) noexcept;

}  // namespace threadref::testing
