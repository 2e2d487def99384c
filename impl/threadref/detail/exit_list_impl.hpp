// SPDX-License-Identifier: MIT
// The slow half of exit_list. Included by each backend.cpp, which instantiates it once.
#pragma once

#include <chrono>

#include "threadref/detail/exit_list.hpp"

namespace threadref::detail {

template <class Hook, class Claim>
constinit thread_local typename exit_list<Hook, Claim>::mark exit_list<Hook, Claim>::mark_;
template <class Hook, class Claim>
constinit domain exit_list<Hook, Claim>::domain_;

// Cancellation is disabled while finalizers run: one that arrives in the middle of a drain would
// leave the rest undone (glibc drops all remaining keys).
class no_cancellation {
 public:
  no_cancellation() noexcept { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  ~no_cancellation() { pthread_setcancelstate(before_, nullptr); }
  no_cancellation(const no_cancellation&) = delete;
  no_cancellation& operator=(const no_cancellation&) = delete;

 private:
  int before_ = 0;
};

template <class Hook, class Claim>
block* exit_list<Hook, Claim>::attach_slow(std::errc& error) noexcept {
  if (mark_.ended) {
    error = std::errc::operation_not_permitted;
    return nullptr;
  }
  if (mark_.own != nullptr)
    return mark_.own;  // the hook's storage is gone, its last pass is to come
  block* b = domain_.acquire();
  if (b == nullptr) {
    error = std::errc::resource_unavailable_try_again;
    return nullptr;
  }
  THREADREF_POINT(attach);
  mark_.own = b;
  error = Hook::arm(*b);
  if (error == std::errc{}) return b;
  mark_.own = nullptr;
  b->end_life();
  return nullptr;
}

template <class Hook, class Claim>
void exit_list<Hook, Claim>::exit_pass(block& b) {
  if (b.draining_here && b.newest == nullptr) return;  // a later round, nothing came
  const no_cancellation guard;
  b.begin_drain();
  // Counted in a register, and added also when a forced unwind leaves this frame.
  struct counts {
    block& b;
    std::uint64_t ran = 0;
    ~counts() { bump(b.ran_at_exit, ran); }
  } done{b};
  while (node* n = b.pop()) {
    if (b.registered.load(std::memory_order_relaxed) - b.registered_in_time >
        late_registrations_max) {
      b.link(*n);
      return abandon(b);
    }
    if (!Claim::at_exit(*n)) continue;
    struct finish {
      block& b;
      node& n;
      ~finish() { b.retire_own(n); }
    } const at_end{b, *n};
    try {
      if (Claim::run_at_exit(*n)) {
        ++done.ran;
      } else {
        bump(b.own.dropped);
      }
    } catch (abi::__forced_unwind&) {
      ++done.ran;
      throw;
    } catch (...) {
      ++done.ran;
      report(b, std::current_exception(), incident::threw);
    }
  }
}

template <class Hook, class Claim>
void exit_list<Hook, Claim>::abandon(block& b) noexcept {
  b.refuse();  // destructors of the closures may not start it all over again
  while (node* n = b.pop()) {
    if (!Claim::at_exit(*n)) continue;
    bump(b.abandoned);
    try {
      n->fn(n->closure, closure_op::destroy, nullptr);
    } catch (...) {
      report(b, std::current_exception(), incident::threw);
    }
    n->retire();
  }
  report(b, nullptr, incident::abandoned);
}

template <class Hook, class Claim>
std::errc exit_list<Hook, Claim>::wait(const registration& r) {
  const auto gone = [&r] {
    return r.on->serial != r.serial || r.at->seen_by(r.generation) == node::gone;
  };
  if (r.on == nullptr) return {};
  std::unique_lock lock(r.on->m);
  if (gone()) return {};
  if (r.on == own() || foreign_run::contains(r)) {
    return std::errc::resource_deadlock_would_occur;
  }
  // The referent stores "gone" and then loads `waiters` without a fence between: it may miss a
  // waiter that comes just then (38 558 of 10 million). So the waiter looks again by itself.
  struct counted {  // also when a cancellation unwinds this frame
    block& b;
    explicit counted(block& of) : b(of) { b.waiters.fetch_add(1, std::memory_order_relaxed); }
    ~counted() { b.waiters.fetch_sub(1, std::memory_order_relaxed); }
  } const here(*r.on);
  while (!gone()) r.on->done.wait_for(lock, std::chrono::milliseconds(1));
  return {};
}

}  // namespace threadref::detail
