// SPDX-License-Identifier: MIT
// A C++ thread_local whose destructor drains an exit list.
#pragma once

#include <cxxabi.h>

#include <system_error>

#include "threadref/detail/block.hpp"
#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/process.hpp"

namespace threadref::detail {

// `Phase`: up to which its pass runs. The back end's own hook has `last`; `early` stands beside a
// hook that comes after the thread_locals.
template <class List, exit_phase Phase = exit_phase::last>
class exit_guard {
 public:
  // Constructs the guard on the calling thread, which registers its destructor (out of memory there
  // ends the process: glibc gives no error).
  static void arm(block& b) noexcept {
    // Local: thread_locals of a file are all made at the first use of any, and who needs one guard
    // would pay for the other.
    static thread_local exit_guard guard;
    guard.b_ = &b;
  }

  exit_guard() = default;
  exit_guard(const exit_guard&) = delete;
  exit_guard& operator=(const exit_guard&) = delete;
  // May leave by a forced unwind, when a finalizer calls pthread_exit.
  ~exit_guard() noexcept(false) {
    if (b_ != nullptr) pass(b_);
  }

 private:
  THREADREF_CATCHES_UNWINDING static void pass(void* of_this_thread) {
    block& b = *static_cast<block*>(of_this_thread);
    // Main's thread_locals are destroyed by exit(), and by nothing else: the exit stage is to come,
    // which knows which finalizers want to run then.
    if (b.is_main()) return;
    // With a key its rounds run what is left, and what is registered later.
    const bool alone = Phase == exit_phase::last && exit_key<List>::get() == nullptr;
    try {
      List::exit_pass(b, alone ? exit_phase::very_last : Phase);
    } catch (abi::__forced_unwind&) {
      // The C library goes on with its list of destructors, so that a new entry runs the rest.
      if (alone) abi::__cxa_thread_atexit(&pass, &b, this_object());
      throw;
    }
    if (alone) List::end(b);
  }

  block* b_ = nullptr;
};

// The key; or, where none is left, the guard.
template <class List>
std::errc arm_key_or_guard(block& b) noexcept {
  const std::errc error = exit_key<List>::arm(b);
  // Not the guard: without memory it would end the process.
  if (error == std::errc::not_enough_memory) return error;
  if (error != std::errc{}) exit_guard<List>::arm(b);
  return {};
}

}  // namespace threadref::detail
