// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <deque>
#include <vector>

#include "bench/timing/probe.hpp"

namespace threadref::bench {

// Probes whose threads run their timed part at the same time, each pinned to its own CPU.
class pinned_threads {
 public:
  // Each probe has room for `most` finalizers.
  pinned_threads(const std::vector<int>& cpus, int threads, int most);
  pinned_threads(const pinned_threads&) = delete;
  pinned_threads& operator=(const pinned_threads&) = delete;
  ~pinned_threads() = default;

  // Runs the routine on every thread, with `n` for each. The sample is the mean over the threads.
  sample run(probe::routine what, int n, int registered, verdict& found);

  // Called by the routine first: pins the thread to the CPU of its slot.
  static void pin_to_slot(const probe& at);
  // Called right before the clock is started: returns once all threads have arrived.
  static void wait_at_barrier(const probe& at);

 private:
  struct slot {
    pinned_threads* owner;
    int cpu;
  };
  std::atomic<int> missing_{0};
  std::deque<slot> slots_;
  std::deque<probe> probes_;
};

}  // namespace threadref::bench
