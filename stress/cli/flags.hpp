// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

#include "stress/cli/options.hpp"

namespace threadref::stress {

// Does the command line ask for help anywhere? Checked before anything is parsed, because Abseil's
// own help exits with 1.
bool wants_help(int argc, char** argv);
void print_help(std::string_view program, std::string_view backend);

// A message for each unknown flag, with the valid names. Abseil's own message has no names.
std::vector<std::string> unknown_flags(int argc, char** argv);

// Parsed by Abseil, which ends the program with 1 if a boolean value is invalid.
flag_values read_flags(int argc, char** argv);

}  // namespace threadref::stress
