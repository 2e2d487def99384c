// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

#include "stress/cli/options.hpp"

namespace threadref::stress {

// Is the help asked for, anywhere on the command line? Answered before anything is parsed:
// Abseil's own help ends with 1.
bool wants_help(int argc, char** argv);
void print_help(std::string_view program, std::string_view backend);

// Sentences about flags that do not exist, with the names that do. Abseil's own message names none.
std::vector<std::string> unknown_flags(int argc, char** argv);

// By Abseil; ends the program with 1 if a value can't be.
flag_values read_flags(int argc, char** argv);

}  // namespace threadref::stress
