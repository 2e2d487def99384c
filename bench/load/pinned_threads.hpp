// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <deque>
#include <vector>

#include "bench/timing/probe.hpp"

namespace threadref::bench {

// Probes whose threads do their timed part at the same time, each on a CPU of its own.
class team {
 public:
  // Room for `most` finalizers each.
  team(const std::vector<int>& cpus, int threads, int most);
  team(const team&) = delete;
  team& operator=(const team&) = delete;
  ~team() = default;

  // Has every thread run the routine, with `n` for each. The sample is the mean over the threads.
  sample run(probe::routine what, int n, int registered, verdict& found);

  // For the routine. First: goes to the CPU of this thread.
  static void take_seat(const probe& at);
  // Last before the clock is started: returns when all threads are here.
  static void meet(const probe& at);

 private:
  struct seat {
    team* of;
    int cpu;
  };
  std::atomic<int> missing_{0};
  std::deque<seat> seats_;
  std::deque<probe> probes_;
};

}  // namespace threadref::bench
