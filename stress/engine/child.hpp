// SPDX-License-Identifier: MIT
// A child process, for scenarios that end a process. It executes this program again instead of
// forking: after a fork only the forking thread exists, and sanitizers do not support that. Parent
// and child map the same memory file, in which the child keeps its ledger.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "stress/engine/round.hpp"

namespace threadref::stress {

// Starts this program with that command line.
pid_t start_child(std::vector<std::string> command);
// Runs the cell's child() in a child process and adds the outcomes of what it registered to the
// figures. `if_never_ran` names those that the end of the process cut off. A child that ends with
// another status than 0, crashes or hangs is a forbidden outcome ("child_failed"); one that
// somebody killed makes the cell unknown.
void play_child(round& r, std::string_view if_never_ran);

}  // namespace threadref::stress
