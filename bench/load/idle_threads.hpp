// SPDX-License-Identifier: MIT
// The other threads: some that are merely alive, and some that come and go.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "bench/timing/probe.hpp"

namespace threadref::bench {

// Threads that sleep on one futex until they are dismissed.
class crowd {
 public:
  static constexpr std::size_t stack_bytes = 65536;

  // What each does before it sleeps; the index says the how manieth it is.
  using greeting = void (*)(void* shared, int index);

  crowd() = default;
  crowd(greeting first, void* shared) : first_(first), shared_(shared) {}
  crowd(const crowd&) = delete;
  crowd& operator=(const crowd&) = delete;
  ~crowd() { dismiss(); }

  // Has that many, all asleep or about to; what is there already stays. Returns how many there are:
  // fewer when the system gives no more.
  int gather(int wanted);
  void dismiss();
  [[nodiscard]] int size() const noexcept { return static_cast<int>(threads_.size()); }

 private:
  static void* park(void* self);
  greeting first_ = nullptr;
  void* shared_ = nullptr;
  std::atomic<int> entered_{0};
  std::atomic<int> greeted_{0};
  std::atomic<int> gate_{0};
  std::vector<pthread_t> threads_;
};

// Threads that each create a thread which registers, ends and is joined, again and again.
class churners {
 public:
  // Two: enough to keep thread creation and exit busy on any machine, and the same on all.
  static constexpr int count = 2;

  churners(probe::routine what, int registered);
  churners(const churners&) = delete;
  churners& operator=(const churners&) = delete;
  ~churners() { stop(); }

  struct outcome {
    verdict found;
    std::uint64_t threads = 0;
  };
  // Waits for the last of them; later calls give the same.
  outcome stop();

 private:
  std::atomic<bool> stopping_{false};
  outcome all_;
  std::vector<outcome> each_;
  std::vector<std::thread> managers_;
};

}  // namespace threadref::bench
