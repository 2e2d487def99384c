// SPDX-License-Identifier: MIT
// The rare canaries. Each is played in a child process until its fault was seen or its time is
// over: one of the faults is that nothing goes on, and the run must.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "stress/cli/report.hpp"

namespace threadref::stress {

// In memory that both have mapped: what the child's rounds came to so far. Only the number of
// rounds is read while the child lives.
struct rare_news {
  std::atomic<std::uint64_t> rounds{0};
  std::uint64_t threads_churned = 0;
  std::uint64_t threads_alive_max = 0;
  std::uint64_t finalizers_run = 0;
  memory_watch memory{};
  std::array<std::uint64_t, scenarios::outcomes_max> seen{};  // as the row declares them
  std::uint64_t undeclared = 0;
};

// The child's memory, from the file that the parent passed on.
rare_news& news_in(int memory_file);
// By the child, after each round.
void tell(const cell_result& r, rare_news& to);
// By the parent: plays the cell with that command line, to which it adds the memory file. A child
// that brings no round to its end for long comes out as "hangs". `on_round`: something came.
void play_rare(cell_result& r, std::vector<std::string> command,
               const std::function<void()>& on_round);

}  // namespace threadref::stress
