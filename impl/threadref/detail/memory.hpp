// SPDX-License-Identifier: MIT
// The library's own memory: slabs of nodes, and the chunks of the block table, cut from mappings of
// 1 MiB. Never malloc: an allocator must be able to use the library. Chunks are never returned to
// the system; slabs are, by trim_memory(), a whole mapping at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI::detail {

struct node;
struct linked_node;

// What a slab is divided into, for good: a node that was never used must read "gone", so a slab
// can't change its kind.
enum class slab_kind : std::uint8_t { of_nodes, of_linked_nodes };
inline constexpr std::size_t slab_kinds = 2;

struct slab {
  std::atomic<slab*> next{nullptr};  // in its block's list or the pool's
  slab* older = nullptr;             // in a block's array: the slab before it
  std::uint32_t size_class = 0;      // it has 1 KiB << size_class
  std::uint32_t capacity = 0;        // in nodes
  slab_kind kind = slab_kind::of_nodes;

  // Call only the one of its kind.
  node* nodes() noexcept;
  linked_node* linked_nodes() noexcept;
  node& at(std::size_t index) noexcept;
};

// Slab sizes double from 1 KiB to 64 KiB, so that a thread with one finalizer pays for 31 nodes and
// one with thousands rarely leaves the fast path.
inline constexpr std::uint32_t slab_classes = 7;

// All functions may be called on any thread. They hold a lock for pointer swaps only, never while
// memory is mapped or unmapped.

// Returns zeroed memory for good, aligned to a cache line; null if provide() must map some first.
// O(1), no system call.
void* cut(std::size_t bytes) noexcept;
// Maps room for cut(), which other threads may use up first. False if the system has no memory.
bool provide(std::size_t bytes) noexcept;

// Returns a slab of the class (at most slab_classes - 1), recycled or new; null without memory. The
// nodes of a recycled slab keep their words. O(1), with a few system calls for each new MiB.
slab* take_slab(slab_kind kind, std::uint32_t size_class) noexcept;
// Gives a list of slabs back to the pool; null is an empty list.
void give_slabs(slab* first) noexcept;
// Unmaps the mappings without a slab in use. O(slabs not in use).
void trim_memory() noexcept;

// In the child of a fork, on its only thread. May lose the rest of two mappings.
void settle_memory() noexcept;

}  // namespace threadref::inline THREADREF_ABI::detail
