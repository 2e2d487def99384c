// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "bench/harness/reporter.hpp"

namespace threadref::bench {

// A number with three significant digits, right-aligned; "-" if it was not measured.
std::string figure(double value, int width);

// The subjects by the figures that matter most, with the best ones marked, and advice on which to
// use. Empty if too little was measured for a comparison.
std::string closing_table(const std::vector<result>& results, bool smoke);
// A sentence for each tree of the default back end that was torn down both ways.
std::string teardowns(const std::vector<result>& results, bool smoke);

}  // namespace threadref::bench
