// SPDX-License-Identifier: MIT
// One trial: a child process runs an event, and the record that it leaves is graded.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "stress/matrix/model/event.hpp"
#include "stress/matrix/model/participants.hpp"

namespace threadref::stress {

// How many callbacks had which fate. Those that were removed in time are not counted.
struct callback_counts {
  std::uint64_t once = 0;
  std::uint64_t refused = 0;
  std::uint64_t lost = 0;
  std::uint64_t misplaced = 0;
  std::uint64_t doubled = 0;
  void add(const callback_counts& other) noexcept;
};

struct trial_result {
  outcome is = outcome::unknown;
  callback_counts callbacks;
  std::string why;     // "": the outcome says it all
  std::string output;  // what the child printed
};

struct trial_plan {
  const event* what;
  const participant* subject;
  std::size_t condition = 0;
  std::uint64_t seed = 0;
  bool smoke = false;
  bool kill_child = false;  // a fault of the harness itself, for its tests
};
trial_result run_trial(const trial_plan& plan);

// Grades the record of a child that did not hang. `status` is what waitpid() gave.
trial_result grade(const event_record& left, int status);

}  // namespace threadref::stress
