// SPDX-License-Identifier: MIT
#include "stress/cli/program.hpp"

// CMakeLists.txt defines both macros. It builds two programs from these sources: one with the
// library's named points active, and one with the library as it ships.
int main(int argc, char** argv) {
  return threadref::stress::run_program(argc, argv, {STRESS_PROGRAM, STRESS_POINTS});
}
