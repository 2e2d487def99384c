// SPDX-License-Identifier: MIT
// A failing cell with fewer threads, fewer finalizers and fewer named points, as long as it fails.
#pragma once

#include <cstdint>
#include <string>

#include "stress/cli/options.hpp"
#include "stress/engine/cells.hpp"

namespace threadref::stress {

// Plays the cell again and again, each time in a child process, says what it finds, and prints the
// command of the smallest run that failed. The exit status: forbidden if it fails, fine if it does
// not fail in any of the tries.
int shrink(const options& o, const std::string& program_path, const cell_code& cell,
           std::uint64_t seed);

}  // namespace threadref::stress
