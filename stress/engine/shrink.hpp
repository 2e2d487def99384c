// SPDX-License-Identifier: MIT
// Reduces a failing cell: fewer threads, finalizers and named points, as long as it still fails.
#pragma once

#include <cstdint>
#include <string>

#include "stress/cli/options.hpp"
#include "stress/engine/cells.hpp"

namespace threadref::stress {

// Plays the cell again and again, each time in a child process, reports each step, and prints the
// command of the smallest run that failed. Returns the exit status: forbidden if it fails, fine if
// it fails in none of the tries.
int shrink(const options& o, const std::string& program_path, const cell_code& cell,
           std::uint64_t seed);

}  // namespace threadref::stress
