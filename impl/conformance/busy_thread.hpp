// SPDX-License-Identifier: MIT
// Threads that register and cancel for as long as a check takes, in bounded memory.
#pragma once

#include <atomic>
#include <limits>

#include "conformance/any_backend.hpp"
#include "conformance/os_thread.hpp"
#include "threadref/threadref.hpp"

namespace threadref::conformance {

// How often a busy thread registers before another one takes its place: where an entry can't be
// taken back, it takes memory until its thread ends.
template <backend B>
int busy_life() {
  return is_direct<B>() ? 100'000 : std::numeric_limits<int>::max();
}

// Has always something registered, and moves the end of its array, until it is relieved.
template <class B>
class busy_thread {
 public:
  explicit busy_thread(const std::atomic<bool>& stop)
      : thread_([this, &stop] {
          finalize<B>([] {});
          has_begun_.open();
          for (int i = 0; i != busy_life<B>() && !stop; ++i) finalize<B>([] {}).cancel();
          is_done_.open();
          is_relieved_.wait();
        }) {
    has_begun_.wait();
  }
  ~busy_thread() { is_relieved_.open(); }
  void wait() { is_done_.wait(); }

 private:
  gate has_begun_;
  gate is_done_;
  gate is_relieved_;
  os_thread thread_;
};

}  // namespace threadref::conformance
