// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "scenarios/cells.hpp"

namespace threadref::scenarios {

// Both tables and all their cells as one JSON document, indented; for --describe.
std::string describe();

// All back ends of this build, all canaries and all rare ones, in the order of the table.
std::vector<const backend_info*> all_backends();
std::vector<const backend_info*> all_canaries();
std::vector<const backend_info*> all_rare_canaries();

}  // namespace threadref::scenarios
