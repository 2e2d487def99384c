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
struct linked_node;

// What a slab is cut into for good: a node that was never used must read "gone", so a slab can't
// change its kind.
enum class slab_kind : std::uint8_t { of_nodes, of_linked_nodes };
inline constexpr std::size_t slab_kinds = 2;

struct slab {
  std::atomic<slab*> next{nullptr};
  slab* older = nullptr;  // for the block that has it
  std::uint32_t size_class = 0;
  std::uint32_t capacity = 0;  // nodes
  slab_kind kind = slab_kind::of_nodes;

  // Of the kind that it has.
  node* nodes() noexcept;
  linked_node* linked_nodes() noexcept;
  node& at(std::size_t index) noexcept;
};

// Slabs double from 1 KiB to 64 KiB, so that a thread with one finalizer pays for 31 nodes and one
// with thousands leaves the fast path rarely.
inline constexpr std::uint32_t slab_classes = 7;

// All functions: any thread; they take a lock for pointer swaps only, never while memory is
// obtained or given back.

// Zeroed memory for good, aligned to a cache line; null: provide() some first. O(1), no system
// call.
void* cut(std::size_t bytes) noexcept;
// Has room for cut() mapped, which others may use first. False: the system has no memory.
bool provide(std::size_t bytes) noexcept;

// A slab of the class (at most slab_classes - 1), recycled or new; null when there is no memory.
// Nodes of a recycled slab keep their words. O(1) but for system calls in 1 MiB.
slab* take_slab(slab_kind kind, std::uint32_t size_class) noexcept;
// Gives a chain of them back to the pool; null: none.
void give_slabs(slab* first) noexcept;
// Gives mappings without a slab in use back to the system. O(slabs not in use).
void trim_memory() noexcept;

// Around fork().
void lock_memory() noexcept;
void unlock_memory() noexcept;

}  // namespace threadref::detail
