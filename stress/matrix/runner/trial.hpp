// SPDX-License-Identifier: MIT
// One trial: a child process plays an event, and what it left in the scene is graded.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "stress/matrix/model/event.hpp"
#include "stress/matrix/model/participants.hpp"

namespace threadref::stress {

// How many callbacks had which fate. Those taken back in time are none of them.
struct fates {
  std::uint64_t once = 0;
  std::uint64_t refused = 0;
  std::uint64_t lost = 0;
  std::uint64_t misplaced = 0;
  std::uint64_t doubled = 0;
  void add(const fates& other) noexcept;
};

struct trial_result {
  word is = word::unknown;
  fates callbacks;
  std::string why;   // "": the word says it all
  std::string said;  // what the child printed
};

struct trial_plan {
  const event* what;
  const participant* subject;
  std::size_t condition = 0;
  std::uint64_t seed = 0;
  bool smoke = false;
  bool kill_it = false;  // a fault of the harness's own, for its tests
};
trial_result run_trial(const trial_plan& plan);

// Of one that has ended by itself. `status` is waitpid's.
trial_result grade(const event_record& left, int status);

}  // namespace threadref::stress
