// SPDX-License-Identifier: MIT
// Threads that register and cancel for as long as a check takes, in bounded memory.
#pragma once

#include <sched.h>

#include <atomic>
#include <limits>

#include "conformance/harness/any_backend.hpp"
#include "conformance/harness/os_thread.hpp"
#include "threadref/threadref.hpp"

namespace threadref::conformance {

// How often a busy thread registers before another one takes its place: where an entry can't be
// taken back, it takes memory until its thread ends.
template <backend B>
int busy_life() {
  return is_direct<B>() ? 100'000 : std::numeric_limits<int>::max();
}

// Has something registered until it is relieved, and till then or for its life moves the end of its
// array.
template <class B>
class busy_thread {
 public:
  busy_thread()
      : thread_([this] {
          finalize<B>([] {});
          has_begun_.open();
          for (int i = 0; i != busy_life<B>() && !is_relieved_; ++i) finalize<B>([] {}).cancel();
          is_done_ = true;
          while (!is_relieved_) sched_yield();
        }) {
    has_begun_.wait();
  }
  ~busy_thread() { is_relieved_ = true; }
  [[nodiscard]] bool is_done() const { return is_done_; }

 private:
  gate has_begun_;
  std::atomic<bool> is_done_{false};
  std::atomic<bool> is_relieved_{false};
  os_thread thread_;
};

}  // namespace threadref::conformance
