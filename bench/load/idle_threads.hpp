// SPDX-License-Identifier: MIT
// The other threads: some that only stay alive, and some that come and go.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "bench/timing/probe.hpp"

namespace threadref::bench {

// Threads that sleep on one futex until they are joined.
class idle_threads {
 public:
  static constexpr std::size_t stack_bytes = 65536;

  // Called on each thread before it sleeps; the indices count from 0.
  using on_start = void (*)(void* shared, int index);

  idle_threads() = default;
  idle_threads(on_start call, void* shared) : on_start_(call), shared_(shared) {}
  idle_threads(const idle_threads&) = delete;
  idle_threads& operator=(const idle_threads&) = delete;
  ~idle_threads() { join_all(); }

  // Creates threads until there are `wanted`, and waits until all of them are about to sleep.
  // Returns how many there are: fewer if the system refuses more.
  int grow_to(int wanted);
  void join_all();
  [[nodiscard]] int size() const noexcept { return static_cast<int>(threads_.size()); }

 private:
  static void* park(void* self);
  on_start on_start_ = nullptr;
  void* shared_ = nullptr;
  std::atomic<int> entered_{0};
  std::atomic<int> started_{0};
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
  // Joins them all; later calls return the same.
  outcome stop();

 private:
  std::atomic<bool> stopping_{false};
  outcome all_;
  std::vector<outcome> each_;
  std::vector<std::thread> managers_;
};

}  // namespace threadref::bench
