// SPDX-License-Identifier: MIT
// Memory of its own: slabs of nodes and the chunks of the block table, cut from 1 MiB mappings.
// Never malloc: the library must be usable by an allocator. Chunks are never given back to the
// system; slabs are by trim_memory(), a whole mapping at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace threadref::detail {

struct node;

struct slab {
  std::atomic<slab*> next{nullptr};
  std::uint32_t size_class = 0;
  std::uint32_t capacity = 0;  // nodes
  node* begin() noexcept;
  node* end() noexcept;
};

// Slabs double from 1 KiB to 64 KiB, so that a thread with one finalizer pays for 20 nodes and one
// with thousands leaves the fast path rarely.
inline constexpr std::uint32_t slab_classes = 7;

// All functions: any thread; they take a lock for pointer swaps only, never while memory is
// obtained or given back.

// Zeroed memory for good, aligned to a cache line; null when the system has none.
void* cut(std::size_t bytes) noexcept;

// A slab of the class (at most slab_classes - 1), recycled or new; null when there is no memory.
// Nodes of a recycled slab keep their words. O(1) but for system calls in 1 MiB.
slab* take_slab(std::uint32_t size_class) noexcept;
// Gives a chain of them back to the pool; null: none.
void give_slabs(slab* first) noexcept;
// Gives mappings without a slab in use back to the system. O(slabs not in use).
void trim_memory() noexcept;

// Around fork().
void lock_memory() noexcept;
void unlock_memory() noexcept;

}  // namespace threadref::detail
