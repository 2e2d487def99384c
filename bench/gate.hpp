// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>

namespace threadref::bench {

// Closed until it is opened once; who waits sleeps. Creator and child that spin for each other on
// two cores would cost a time slice each round.
class gate {
 public:
  void open() noexcept {
    is_open_.store(1, std::memory_order_release);
    is_open_.notify_all();
  }
  void pass() const noexcept { is_open_.wait(0, std::memory_order_acquire); }

 private:
  std::atomic<int> is_open_{0};
};

}  // namespace threadref::bench
