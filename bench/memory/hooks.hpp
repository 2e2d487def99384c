// SPDX-License-Identifier: MIT
// Counts the calls for memory of this process, and what they came to.
#pragma once

#include <cstdint>

namespace threadref::bench {

// malloc and its kin, by whoever calls them, the C library included; and the program's own mmap and
// munmap, which are the library's (those of the C library do not come by here: stacks, arenas).
struct memory_seen {
  std::int64_t calls = 0;  // for memory; not those that give it back
  std::int64_t bytes = 0;  // had and not given back; of malloc the usable size
};
memory_seen memory_now() noexcept;

// The pages that the process has in memory, in bytes. Asks for no memory.
std::int64_t resident_now();

}  // namespace threadref::bench
