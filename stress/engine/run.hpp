// SPDX-License-Identifier: MIT
// Plays the selected cells one after another: sizes, time, verdicts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stress/cli/report.hpp"

namespace threadref::stress {

// The cells that the command line selects; canaries only if it asks for them. Empty: nothing
// matched.
std::vector<const cell_code*> select_cells(const options& o, const std::vector<cell_code>& all);

// Returns the seed of the run, given or drawn. Plans from it where to yield, and prints both.
std::uint64_t plan_run(const program_info& program, const options& o);

// `program_path` is what the user typed: printed commands begin with it.
run_result run_cells(const options& o, const std::string& program_path,
                     const std::vector<const cell_code*>& cells, std::uint64_t seed);

// Runs in a child process: one cell, one round, with the ledger in the parent's memory file.
int run_child(const options& o, const std::vector<cell_code>& all);

}  // namespace threadref::stress
