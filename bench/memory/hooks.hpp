// SPDX-License-Identifier: MIT
// Counts the allocations of this process and the bytes in use.
#pragma once

#include <cstdint>

namespace threadref::bench {

// Counts malloc and its relatives, also when the C library calls them, and the mmap and munmap
// calls of the program, which means of threadref. The C library's own mmap calls, for stacks and
// arenas, are not counted.
struct memory_seen {
  std::int64_t calls = 0;  // allocations; frees are not counted
  std::int64_t bytes = 0;  // allocated and not freed; for malloc the usable size
};
memory_seen memory_now() noexcept;

// The resident set of the process, in bytes. Allocates nothing.
std::int64_t resident_now();

}  // namespace threadref::bench
