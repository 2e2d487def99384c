// SPDX-License-Identifier: MIT
// paired/<A>_vs_<B>/<quantity>/n:<n>: two subjects measured in turns, and the ratio of B to A.
#pragma once

#include <optional>
#include <string>

#include "bench/harness/session.hpp"

namespace threadref::bench {

// Registers the pair that --pair names and the controls of both sides: each against itself (noise
// of time) and against its clone (noise of layout). Returns a message if there is no such subject
// or quantity.
std::optional<std::string> register_pair(session& session);

// Registers the controls of every subject and floor, and every back end against itself with 4 %
// more work, which must be noticed.
void register_control_pairs(session& session);

}  // namespace threadref::bench
