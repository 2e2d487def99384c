// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "scenarios/cells.hpp"

namespace threadref::scenarios {

// Both tables and all their cells as one JSON document, indented; for --describe.
std::string describe();

// Every back end of this build, every canary and every rare one, in the order of the table.
std::vector<const backend_info*> all_backends();
std::vector<const backend_info*> all_canaries();
std::vector<const backend_info*> all_rare_canaries();

}  // namespace threadref::scenarios
