// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>

namespace threadref::testing {

// Threads sleep at it until it opens: threads that spin for each other on two cores cost each other
// a time slice. It opens once, for all threads, and stays open. An int, which a futex needs: a
// forked process never finds it locked.
class gate {
 public:
  void open() noexcept {
    open_.store(1, std::memory_order_release);
    open_.notify_all();
  }
  void wait() const noexcept { open_.wait(0, std::memory_order_acquire); }
  [[nodiscard]] bool is_open() const noexcept { return open_.load(std::memory_order_acquire) != 0; }

 private:
  std::atomic<int> open_{0};
};

}  // namespace threadref::testing
