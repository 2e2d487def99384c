// SPDX-License-Identifier: MIT
#pragma once

#include "stress/cli/report.hpp"

namespace threadref::stress {

// All of main(). Returns the exit status.
int run_program(int argc, char** argv, const program_info& program);

}  // namespace threadref::stress
