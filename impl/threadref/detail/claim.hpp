// SPDX-License-Identifier: MIT
// Who may run a finalizer: the claim protocols. Each finalizer is claimed at most once, by the
// exiting thread, by its referent, or by another thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "threadref/detail/block.hpp"
#include "threadref/detail/points.hpp"

namespace threadref::detail {

// Protocol B. Before the drain every claim is a compare-and-swap armed -> running of the node's
// word, so two claims of one generation can't both succeed. Other threads also hold the block's
// lock and find `draining` false under it.
//
// The drain needs no read-modify-write per finalizer: begin_drain() set `draining` under the same
// lock. A foreign claim whose critical section came before is visible to the drain's plain load (it
// happens-before by the lock); one that comes after finds `draining` and gives up. From
// begin_drain() on the referent is the word's only writer, except for words that are `running`
// already.
struct hybrid_claim {
  // On the referent, at any time.
  static bool by_owner(node& n, std::uint64_t generation) noexcept {
    THREADREF_POINT(owner_claim);
    return swap(n, generation);
  }
  // On another thread, holding the lock, `draining` false.
  static bool by_other(node& n, std::uint64_t generation) noexcept {
    THREADREF_POINT(foreign_claim);
    return swap(n, generation);
  }
  // On the referent, after begin_drain().
  static bool at_exit(node& n) noexcept {
    THREADREF_POINT(exit_claim);
    const std::uint64_t w = n.word_now.load(std::memory_order_relaxed);
    if (node::state_of(w) != node::armed) return false;
    n.word_now.store(node::word(node::generation_of(w), node::running), std::memory_order_relaxed);
    return true;
  }
  // Runs what was claimed at exit: once. (Here only so that a canary can do it otherwise.)
  static bool run_at_exit(node& n) { return n.fn(n.closure, closure_op::run, nullptr); }

 private:
  static bool swap(node& n, std::uint64_t generation) noexcept {
    std::uint64_t expected = node::word(generation, node::armed);
    return n.word_now.compare_exchange_strong(expected, node::word(generation, node::running),
                                              std::memory_order_acq_rel, std::memory_order_relaxed);
  }
};

}  // namespace threadref::detail
