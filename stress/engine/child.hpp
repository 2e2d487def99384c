// SPDX-License-Identifier: MIT
// A child process that plays a part which a process survives only once. It is this program again,
// run anew rather than forked: after a fork only the forking thread exists, and no sanitizer bears
// it. Its ledger lies in a memory file that both have mapped.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "stress/engine/round.hpp"

namespace threadref::stress {

// This program with that command line.
pid_t start_child(std::vector<std::string> command);
// Runs the cell's child() in a child process and settles what it registered into the figures.
// `if_never_ran` names what the end of the process left undone. A child that ends with another
// status than 0, by a signal of its own or not at all is a forbidden outcome
// ("child_failed"); one that somebody killed makes the cell unknown.
void play_child(round& r, std::string_view if_never_ran);

}  // namespace threadref::stress
