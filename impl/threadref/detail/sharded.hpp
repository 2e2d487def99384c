// SPDX-License-Identifier: MIT
// Lists split by CPU: what a thread left is reused first by a thread on the same CPU, from a warm
// cache and under an uncontended lock. Memory stays bounded by the peak of all CPUs together, since
// a thread that finds nothing there takes what other CPUs have.
#pragma once

#include <sched.h>

#include <cstddef>

#include "threadref/config.hpp"
#include "threadref/detail/word_lock.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI::detail {

// More CPUs than that share shards. glibc knows the CPU without a system call: 1.7 ns (2026-11-20,
// 2 CPUs of an AMD EPYC).
inline constexpr std::size_t shards = 16;

// Constant-initialised and trivially destructible if Lists is.
template <class Lists>
class sharded {
 public:
  // Two cache lines, since processors fetch them in pairs.
  struct alignas(2 * cache_line) shard {
    word_lock m;
    Lists lists;  // changed under m
  };

  // The shard of the CPU that the calling thread is on, or was on just now. If sched_getcpu() fails
  // (-1), the last shard.
  shard& here() noexcept { return all_[index_here()]; }
  shard& operator[](std::size_t at) noexcept { return all_[at]; }
  // Returns what pop(lists, number of the shard) takes, under its lock, from the first shard for
  // which has(lists) is true without it. Null only if no shard had anything, under all locks
  // together.
  template <class Has, class Pop>
  auto take(Has has, Pop pop) noexcept {
    const std::size_t first = index_here();
    for (std::size_t i = 0; i != shards; ++i) {
      const std::size_t at = (first + i) % shards;
      if (!has(all_[at].lists)) continue;
      const lock_guard lock(all_[at].m);
      if (const auto got = pop(all_[at].lists, at)) return got;
    }
    const lock_guard lock(*this);
    for (std::size_t at = 0; at != shards; ++at) {
      if (const auto got = pop(all_[at].lists, at)) return got;
    }
    return decltype(pop(all_[0].lists, first)){};
  }

  // Locks all shards, in one order.
  void lock() noexcept {
    for (shard& s : all_) s.m.lock();
  }
  void unlock() noexcept {
    for (shard& s : all_) s.m.unlock();
  }
  shard* begin() noexcept { return all_; }
  shard* end() noexcept { return all_ + shards; }

 private:
  static std::size_t index_here() noexcept {
    return static_cast<unsigned>(sched_getcpu()) % shards;
  }

  shard all_[shards] = {};
};

}  // namespace threadref::inline THREADREF_ABI::detail
