// SPDX-License-Identifier: MIT
// Facts about the machine and the process that both programs print with their figures: without
// them, figures can't be compared.
#pragma once

#include <cstddef>
#include <string>

namespace threadref::testing {

struct environment {
  std::string cpu;        // model name
  int cores_online = 0;   // what the machine has
  int cores_allowed = 0;  // what this process may use; at least 1
  int last_cpu = 0;       // the highest of those
  long memory_mib = 0;
  std::string libc;       // "glibc 2.36"
  std::string kernel;     // "Linux 6.1.0 x86_64"
  std::string machine;    // a label for file names, at most 40 of [a-z0-9_-]; not the host's name
  std::string allocator;  // "glibc", or the library that malloc comes from: LD_PRELOAD changes it
  double load = 0;        // over the last minute
  double clock_tick_ns = 0;  // the smallest step of std::chrono::steady_clock
  double clock_read_ns = 0;  // what reading it costs
};

// Takes some milliseconds, to measure the clock. Unknown facts are "unknown" or 0.
environment observe_environment();

// The share of CPU time, in percent, that the host's other guests stole since `before`.
struct cpu_times {
  double stolen = 0;
  double all = 0;
};
cpu_times cpu_times_now();
double steal_percent(const cpu_times& before, const cpu_times& after) noexcept;

// How many of `wanted` more threads with such stacks can be alive at once in this process, with a
// tenth to spare, and what limits them; `limit` is empty if all of them can.
struct thread_room {
  int threads = 0;
  std::string limit;
};
thread_room room_for_threads(int wanted, std::size_t stack_bytes);

}  // namespace threadref::testing
