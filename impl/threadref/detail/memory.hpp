// SPDX-License-Identifier: MIT
// Type-stable memory: slabs of nodes and the chunks of the block table, cut from 1 MiB mappings.
// Never malloc: the library must be usable by an allocator. Never given back to the system.
#pragma once

#include <cstddef>
#include <cstdint>

namespace threadref::detail {

struct node;

struct slab {
  slab* next = nullptr;
  std::uint32_t size_class = 0;
  std::uint32_t capacity = 0;  // nodes
  node* begin() noexcept;
  node* end() noexcept;
};

// Slabs double from 1 KiB to 64 KiB, so that a thread with one finalizer pays for 20 nodes and one
// with thousands leaves the fast path rarely.
inline constexpr std::uint32_t slab_classes = 7;

// Zeroed memory, aligned to a cache line; null when the system has none. Any thread. Takes a lock
// for pointer swaps only, never while memory is obtained.
void* cut(std::size_t bytes) noexcept;

// A slab of the class (at most slab_classes - 1), recycled or new; null when there is no memory.
// Nodes of a recycled slab keep their generations. Any thread; O(1) but for a system call in 1 MiB.
slab* take_slab(std::uint32_t size_class) noexcept;
void give_slab(slab& unused) noexcept;

}  // namespace threadref::detail
