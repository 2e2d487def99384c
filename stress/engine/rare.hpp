// SPDX-License-Identifier: MIT
// The rare canaries. Each is played in a child process until its fault has been seen or its time is
// over: one of the faults is a hang, and the run must go on.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "stress/cli/report.hpp"

namespace threadref::stress {

// The sums over the child's rounds so far, in memory that parent and child share. While the child
// lives, the parent reads only the number of rounds.
struct rare_progress {
  std::atomic<std::uint64_t> rounds{0};
  std::uint64_t threads_churned = 0;
  std::uint64_t threads_alive_max = 0;
  std::uint64_t finalizers_run = 0;
  memory_watch memory{};
  std::array<std::uint64_t, scenarios::outcomes_max>
      seen{};  // in the order in which the row declares them
  std::uint64_t undeclared = 0;
};

// Maps the memory file that the parent passed to the child.
rare_progress& map_progress(int memory_file);
// Called by the child after each round.
void publish(const cell_result& r, rare_progress& to);
// Called by the parent: plays the cell in a child with that command line, to which it adds the
// memory file. A child that completes no round for long counts as "hangs". `on_round` is called
// when another round is complete.
void play_rare(cell_result& r, std::vector<std::string> command,
               const std::function<void()>& on_round);

}  // namespace threadref::stress
