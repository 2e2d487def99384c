// SPDX-License-Identifier: MIT
// Plays the selected cells one after the other: sizes, time, verdicts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stress/cli/report.hpp"

namespace threadref::stress {

// What the command line selects, canaries only if it asks for them. Empty: nothing matched.
std::vector<const cell_code*> select_cells(const options& o, const std::vector<cell_code>& all);

// The seed of the run, given or drawn; where to yield is planned from it, and both are printed.
std::uint64_t plan_run(const program_info& program, const options& o);

// `program_path` is what the user typed: commands to paste begin with it.
run_result run_cells(const options& o, const std::string& program_path,
                     const std::vector<const cell_code*>& cells, std::uint64_t seed);

// The part of a child process: one cell, one round, the ledger in the parent's memory file.
int run_child(const options& o, const std::vector<cell_code>& all);

}  // namespace threadref::stress
