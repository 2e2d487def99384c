// SPDX-License-Identifier: MIT
// The types that an exit list exchanges with its callers.
#pragma once

#include <cstdint>
#include <system_error>
#include <utility>

#include "threadref/detail/block.hpp"
#include "threadref/detail/exit_link.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI::detail {

// What a handle stores of a registration. Trivially copyable; never dangles (see block.hpp).
struct registration {
  block* on = nullptr;
  std::uint64_t serial = 0;
  node* at = nullptr;
  std::uint64_t generation = 0;
  friend bool operator==(const registration&, const registration&) = default;
};

// The finalizers of other threads that this thread is running, as a list from the innermost call.
// By it wait() sees that it would wait for itself, and the child of a fork sees what is running.
struct foreign_run {
  explicit foreign_run(const registration& what) noexcept
      : running(what), outer(set_innermost(this)) {}
  ~foreign_run() { set_innermost(outer); }
  foreign_run(const foreign_run&) = delete;
  foreign_run& operator=(const foreign_run&) = delete;
  static bool contains(const registration& what) noexcept {
    for (const foreign_run* f = get_innermost(); f != nullptr; f = f->outer) {
      if (f->running == what) return true;
    }
    return false;
  }
  registration running;
  foreign_run* outer;

  THREADREF_READS_TLS static foreign_run* get_innermost() noexcept { return innermost; }

 private:
  THREADREF_READS_TLS static foreign_run* set_innermost(foreign_run* to) noexcept {
    return std::exchange(innermost, to);
  }
  static constinit thread_local foreign_run* innermost;
};

// Both are returned by value: an error written through a reference must be in memory, which costs a
// registration nine instructions.
struct attached {
  block* b;  // null: error
  std::errc error;
};
struct added {
  registration at;
  std::errc error;
};

}  // namespace threadref::inline THREADREF_ABI::detail
