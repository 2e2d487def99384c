// SPDX-License-Identifier: MIT
// The claim protocols, which decide who may run a finalizer. Each finalizer is claimed at most
// once: by its referent before or in its exit, or by another thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "threadref/detail/block.hpp"
#include "threadref/detail/points.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI::detail {

// Protocol B. Before the drain, every claim is a compare-and-swap armed -> running of the node's
// word, so two claims of one generation can't both succeed. Another thread must also hold the
// block's lock, and see `draining` false under it.
//
// The drain needs no read-modify-write per finalizer, because begin_drain() sets `draining` under
// the same lock. A foreign claim whose critical section came before is visible to the drain's plain
// load (it happens before it, by the lock); one that comes after sees `draining` and gives up. From
// begin_drain() on, the referent is the only writer of all words but those that are already
// `running`.
struct hybrid_claim {
  // On the referent, at any time.
  static bool by_owner(block& b, node& n, std::uint64_t generation) noexcept {
    THREADREF_POINT(owner_claim);
    std::uint64_t w = n.word_now.load(std::memory_order_relaxed);
    while (node::generation_of(w) == generation) {
      if (node::state_of(w) == node::inspected) {
        const lock_guard inspector_is_done(b.m);
        w = n.word_now.load(std::memory_order_relaxed);
      } else if (node::state_of(w) != node::armed) {
        return false;
      } else if (swap(n, w, node::running)) {
        return true;
      }
    }
    return false;
  }
  // Under the block's lock; on another thread, with `draining` false. The state becomes `wanted`,
  // with its flags: running; or inspected, until the caller sets it to armed or running.
  static bool by_other(node& n, std::uint64_t generation, std::uint64_t wanted) noexcept {
    THREADREF_POINT(foreign_claim);
    std::uint64_t w = n.word_now.load(std::memory_order_acquire);
    while (node::generation_of(w) == generation && node::state_of(w) == node::armed) {
      if (swap(n, w, wanted)) return true;
    }
    return false;
  }
  // On the referent, after begin(). Returns the word that the node had; 0 if it is not pending.
  // (Testing one bit is enough: only a draining thread itself inspects its nodes, under the lock.)
  static std::uint64_t at_exit(node& n) noexcept {
    THREADREF_POINT(exit_claim);
    const std::uint64_t w = n.word_now.load(std::memory_order_relaxed);
    if ((w & node::armed) == 0) [[unlikely]]
      return 0;
    n.word_now.store(w + (node::running - node::armed), std::memory_order_relaxed);
    return w;
  }

  // Other steps of the drain. They are here only so that a canary can replace them.
  static void begin(block& b) noexcept { b.begin_drain(); }
  static linked_node* next(exit_chain& list) noexcept { return list.pop_newest(); }
  static bool run_at_exit(node& n) { return n.fn(n.closure, closure_op::run, nullptr); }

 private:
  static bool swap(node& n, std::uint64_t& expected, std::uint64_t wanted) noexcept {
    return n.word_now.compare_exchange_weak(expected, node::with(expected, wanted),
                                            std::memory_order_acq_rel, std::memory_order_relaxed);
  }
};

// Protocol A, the simple one, against which the other is compared. Every claim before the drain is
// made under the lock, the referent's too. The drain is the same.
struct bulk_claim : hybrid_claim {
  static bool by_owner(block& b, node& n, std::uint64_t generation) noexcept {
    THREADREF_POINT(owner_claim);
    const lock_guard lock(b.m);
    return claim(n, generation, node::running);
  }
  static bool by_other(node& n, std::uint64_t generation, std::uint64_t wanted) noexcept {
    THREADREF_POINT(foreign_claim);
    return claim(n, generation, wanted);
  }

 private:
  static bool claim(node& n, std::uint64_t generation, std::uint64_t wanted) noexcept {
    const std::uint64_t w = n.word_now.load(std::memory_order_acquire);
    if (node::generation_of(w) != generation || node::state_of(w) != node::armed) return false;
    n.word_now.store(node::with(w, wanted), std::memory_order_release);
    return true;
  }
};

}  // namespace threadref::inline THREADREF_ABI::detail
