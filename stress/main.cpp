// SPDX-License-Identifier: MIT
#include "stress/cli/program.hpp"

// Both come from CMakeLists.txt: two programs are built from these sources, with the library's
// named points alive, and with the library as it ships.
int main(int argc, char** argv) {
  return threadref::stress::run_program(argc, argv, {STRESS_PROGRAM, STRESS_POINTS});
}
