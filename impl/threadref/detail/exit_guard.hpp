// SPDX-License-Identifier: MIT
// A C++ thread_local whose destructor drains an exit list.
#pragma once

#include <cxxabi.h>

#include <system_error>

#include "threadref/detail/block.hpp"
#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/process.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI::detail {

template <class List>
class exit_guard {
 public:
  // Constructs the guard on the calling thread, which registers its destructor with the C library.
  // (Without memory for that the process ends: glibc reports no error.)
  static void arm(block& b) noexcept {
    static thread_local exit_guard guard;
    guard.b_ = &b;
  }

  exit_guard() = default;
  exit_guard(const exit_guard&) = delete;
  exit_guard& operator=(const exit_guard&) = delete;
  // Left by a forced unwind if a finalizer calls pthread_exit.
  ~exit_guard() noexcept(false) {
    if (b_ != nullptr) pass(b_);
  }

 private:
  THREADREF_CATCHES_UNWINDING static void pass(void* of_this_thread) {
    block& b = *static_cast<block*>(of_this_thread);
    // Main's thread_locals are destroyed only by exit(). The exit stage is still to come, and knows
    // which finalizers are to run then.
    if (b.is_main()) return;
    // If there is a key, its rounds run what is left and what is registered later.
    const bool alone = exit_key<List>::get() == nullptr;
    b.early_is_over = alone;
    try {
      List::exit_pass(b, alone ? exit_phase::very_last : exit_phase::last);
    } catch (abi::__forced_unwind&) {
      // The C library goes on with its list of destructors, so a new entry there runs the rest.
      if (alone) static_cast<void>(add_thread_local_destructor(&pass, &b));
      throw;
    }
    if (alone) List::end(b);
  }

  block* b_ = nullptr;
};

// Arms the key, or the guard if no key is left.
template <class List>
std::errc arm_key_or_guard(block& b) noexcept {
  const std::errc error = exit_key<List>::arm(b);
  // Not the guard: without memory, that would end the process.
  if (error == std::errc::not_enough_memory) return error;
  if (error != std::errc{}) exit_guard<List>::arm(b);
  return {};
}

}  // namespace threadref::inline THREADREF_ABI::detail
