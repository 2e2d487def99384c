// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>

namespace threadref::bench {

// Many threads take the same steps; one thread observes them in between, while they sleep.
class steps {
 public:
  explicit steps(int threads) : all_(threads) {}

  // Called by each of them after a step: sleeps until the next step.
  void rest() noexcept {
    const int here = step_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == all_) arrived_.notify_one();
    step_.wait(here, std::memory_order_acquire);
  }
  // Called by the observer: waits until all of them rest.
  void await_all() const noexcept {
    for (int there = arrived_; there != all_; there = arrived_) arrived_.wait(there);
  }
  void go_on() noexcept {
    arrived_.store(0, std::memory_order_relaxed);
    step_.fetch_add(1, std::memory_order_release);
    step_.notify_all();
  }

 private:
  const int all_;
  std::atomic<int> arrived_{0};
  std::atomic<int> step_{0};
};

}  // namespace threadref::bench
