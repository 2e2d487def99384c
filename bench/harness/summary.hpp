// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "bench/harness/reporter.hpp"

namespace threadref::bench {

// A number with three figures, right-aligned; "-" for what was not measured.
std::string figure(double value, int width);

// Subjects against what matters, the best marked, and a sentence on what to use. Empty when too
// little was measured for a comparison.
std::string closing_table(const std::vector<result>& results, bool smoke);
// A sentence for each tree of the default back end that was torn down in both ways.
std::string teardowns(const std::vector<result>& results, bool smoke);

}  // namespace threadref::bench
