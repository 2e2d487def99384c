// SPDX-License-Identifier: MIT
// A C++ thread_local whose destructor drains an exit list.
#pragma once

#include "threadref/detail/block.hpp"
#include "threadref/detail/exit_key.hpp"

namespace threadref::detail {

template <class List>
class exit_guard {
 public:
  // Constructs the guard on the calling thread, which registers its destructor (out of memory there
  // ends the process: glibc gives no error).
  static void arm(block& b) noexcept { guard_.b_ = &b; }

  exit_guard() = default;
  exit_guard(const exit_guard&) = delete;
  exit_guard& operator=(const exit_guard&) = delete;
  // May leave by a forced unwind, when a finalizer calls pthread_exit.
  ~exit_guard() noexcept(false) {
    if (b_ == nullptr) return;
    List::exit_pass(*b_);
    // Older thread_locals are still to be destroyed and may register: then the key's rounds run it.
    if (exit_key<List>::get() == nullptr) List::end(*b_);
  }

 private:
  block* b_ = nullptr;
  static inline thread_local exit_guard guard_;
};

}  // namespace threadref::detail
