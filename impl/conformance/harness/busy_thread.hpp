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

// How often a busy thread registers before another one replaces it: where an entry can't be
// removed, it needs memory until its thread ends.
template <backend B>
int busy_life() {
  return is_direct<B>() ? 100'000 : std::numeric_limits<int>::max();
}

// Keeps one registration pending until the object is destroyed, and moves the end of its array
// meanwhile, busy_life() times at most.
template <class B>
class busy_thread {
 public:
  busy_thread()
      : thread_([this] {
          finalize<B>([] {});
          has_begun_.open();
          for (int i = 0; i != busy_life<B>() && !is_stopped_; ++i) finalize<B>([] {}).cancel();
          is_done_ = true;
          while (!is_stopped_) sched_yield();
        }) {
    has_begun_.wait();
  }
  ~busy_thread() { is_stopped_ = true; }
  [[nodiscard]] bool is_done() const { return is_done_; }

 private:
  gate has_begun_;
  std::atomic<bool> is_done_{false};
  std::atomic<bool> is_stopped_{false};
  os_thread thread_;
};

}  // namespace threadref::conformance
