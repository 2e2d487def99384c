// SPDX-License-Identifier: MIT
// Runs an exit list at the end of its thread or in the exit stage, and abandons it when a limit is
// exceeded. Part of exit_list_impl.hpp.
#pragma once

#include <cxxabi.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <new>

#include "threadref/detail/exit_list.hpp"
#include "threadref/detail/process.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI::detail {

// Runs the lists of a block: stage 1, newest first, phase by phase; then all of stage 2, oldest
// first; and again from stage 1, until both are empty.
template <class Hook, class Claim>
class exit_list<Hook, Claim>::drain {
 public:
  drain(block& b, exit_phase upto, std::atomic<std::uint64_t>& ran) noexcept
      : b_(b), upto_(upto), ran_(ran), late_max_(settings().late_registrations_max) {}
  // Also runs when a forced unwind leaves run(), so that what has run is counted.
  ~drain() { increment(ran_, count_); }
  drain(const drain&) = delete;
  drain& operator=(const drain&) = delete;

  static bool has_work(const block& b, exit_phase upto) noexcept {
    return !b.early.empty() || !b.array_is_empty() || !b.last.empty() || !b.destructors.empty() ||
           (upto == exit_phase::very_last && !b.very_last.empty());
  }

  // Counts what ran, in a register meanwhile; the sum is added also when a forced unwind leaves the
  // frame.
  struct tick {
    drain& of;
    std::uint64_t ran = 0;
    ~tick() { of.count_ += ran; }
  };

  THREADREF_CATCHES_UNWINDING void run() {
    tick count{*this};
    for (bool is_late = false;; is_late = is_past_limits()) {
      // The usual case: only the array has anything.
      if (!b_.in_destructors && !b_.staging && !b_.array_closed && !is_late) run_array(count);
      node* n = next();
      if (n == nullptr || !run_or_abandon(*n, count)) return;
    }
  }
  // False if a limit is exceeded: then all is abandoned, `n` included.
  THREADREF_CATCHES_UNWINDING_INLINE bool run_or_abandon(node& n, tick& count) {
    if (is_past_limits()) {
      if (n.has(node::is_linked)) b_.last.push(static_cast<linked_node&>(n));
      abandon();
      return false;
    }
    run_one(n, count);
    return true;
  }

  // Runs the array for as long as nothing is registered meanwhile, and leaves the rest to
  // run_one(). (A new registration keeps the array's end up, so pop_slab() fails. If it was
  // removed at once, the walk stops at what has already run.)
  THREADREF_CATCHES_UNWINDING_INLINE void run_array(tick& count) {
    do {
      if (!b_.early.empty() || !b_.last.empty()) return;
      run_slab(b_, count);
    } while (b_.pop_slab());
  }
  // Runs the current slab from its end. Neither the position nor a word is read back from memory:
  // each iteration would wait for the store of the one before (1.25 times the time). So the array's
  // end does not move until all is over, and the array is paused: a registration has to take the
  // slow path, which resumes the array and so stops this walk. A function of its own, because it
  // needs every register.
  THREADREF_CATCHES_UNWINDING static void run_slab(block& b, tick& count) {
    node* const end = b.pause_array();
    node* const bottom = b.array_begin;
    node* n = end;
    while (n != bottom) {
      // Laundered. Otherwise g++ keeps this pointer, the previous one and the address of the word
      // in a register each.
      n = std::launder(n - 1);
      const std::uint64_t w = Claim::at_exit(*n);
      if (w == 0) [[unlikely]] {
        ++n;
        break;
      }
      try {
        if (!Claim::run_at_exit(*n)) [[unlikely]] {
          increment(b.own.dropped);
          --count.ran;
        }
      } catch (abi::__forced_unwind&) {
        n->retire(w);
        leave_array(b, count, end, n);
        b.notify_waiters();
        throw;
      } catch (...) {
        report(b, std::current_exception(), incident::threw);
      }
      n->retire(w);
      b.notify_waiters();
      if (!b.array_paused) [[unlikely]]
        break;
    }
    leave_array(b, count, end, n);
  }
  // `top` by value: through a reference the position would be in memory.
  static void leave_array(block& b, tick& count, const node* end, node* top) noexcept {
    count.ran += static_cast<std::uint64_t>(end - top);
    b.leave_behind(end, top);
  }

  THREADREF_CATCHES_UNWINDING_INLINE void run_one(node& n, tick& count) {
    const std::uint64_t w = n.word_now.load(std::memory_order_relaxed);
    if ((w & node::is_exit_node) != 0) return run_intrusive(static_cast<intrusive_node&>(n), count);
    if (b_.staging && (w & node::not_at_process_exit) != 0)
      return b_.deferred.push(static_cast<linked_node&>(n));
    if (!Claim::at_exit(n)) return;
    struct finish {
      block& b;
      node& n;
      ~finish() { b.retire_own(n); }
    } const at_end{b_, n};
    run_claimed(n, count);
  }

  [[nodiscard]] bool is_past_limits() const noexcept {
    return b_.registered() - b_.late_from > late_max_ ||
           b_.alternations > settings().alternations_max;
  }

 private:
  // The newest registration of the phase `last`. If it is in the array, it stays there until it has
  // run; if it is in the chain, it is popped.
  node* next_of_last() noexcept {
    node* const in_array = b_.newest_in_array();
    const linked_node* const in_chain = b_.last.newest();
    if (in_array == nullptr ||
        (in_chain != nullptr && generation_of(*in_array) < generation_of(*in_chain)))
      return Claim::next(b_.last);
    return in_array;
  }
  static std::uint64_t generation_of(const node& n) noexcept {
    return node::generation_of(n.word_now.load(std::memory_order_relaxed));
  }
  [[gnu::noinline]] node* next() noexcept {
    if (!b_.in_destructors || b_.destructors.empty()) {
      b_.in_destructors = false;
      if (node* n = Claim::next(b_.early)) return n;
      if (node* n = next_of_last()) return n;
      if (b_.destructors.empty())
        return upto_ == exit_phase::very_last ? Claim::next(b_.very_last) : nullptr;
      b_.in_destructors = true;
      ++b_.alternations;
    }
    return b_.destructors.pop_oldest();
  }

  THREADREF_CATCHES_UNWINDING_INLINE void run_claimed(node& n, tick& count) {
    try {
      if (Claim::run_at_exit(n)) {
        ++count.ran;
      } else {
        increment(b_.own.dropped);
      }
    } catch (abi::__forced_unwind&) {
      ++count.ran;
      throw;
    } catch (...) {
      ++count.ran;
      report(b_, std::current_exception(), incident::threw);
    }
  }
  // The function may free the node.
  THREADREF_CATCHES_UNWINDING void run_intrusive(intrusive_node& n, tick& count) {
    ++count.ran;
    release(n);
    try {
      n.fn(n.closure, closure_op::run, nullptr);
    } catch (abi::__forced_unwind&) {
      throw;
    } catch (...) {
      report(b_, std::current_exception(), incident::threw);
    }
  }

  void abandon() noexcept {
    b_.refuse();  // destructors of the closures may not start it all over again
    while (node* n = b_.newest_in_array()) {
      if (Claim::at_exit(*n)) destroy(*n);
    }
    for (exit_chain* c : {&b_.early, &b_.last, &b_.destructors, &b_.very_last}) {
      while (linked_node* n = c->pop_newest()) {
        if (n->has(node::is_exit_node)) {
          release(static_cast<intrusive_node&>(*n));
          increment(b_.abandoned);
        } else if (Claim::at_exit(*n)) {
          destroy(*n);
        }
      }
    }
    report(b_, nullptr, incident::abandoned);
  }
  void destroy(node& n) noexcept {
    increment(b_.abandoned);
    try {
      n.fn(n.closure, closure_op::destroy, nullptr);
    } catch (...) {
      report(b_, std::current_exception(), incident::threw);
    }
    b_.retire_own(n);
  }

  block& b_;
  const exit_phase upto_;
  std::atomic<std::uint64_t>& ran_;
  const std::uint64_t late_max_;
  std::uint64_t count_ = 0;
};

}  // namespace threadref::inline THREADREF_ABI::detail
