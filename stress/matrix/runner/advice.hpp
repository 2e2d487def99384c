// SPDX-License-Identifier: MIT
// The advice that the matrix gives: if you need this, use that, because of this cell.
#pragma once

#include <string>
#include <vector>

#include "stress/matrix/runner/cell.hpp"

namespace threadref::stress {

// A sentence for each need that some mechanism meets in this run.
std::vector<std::string> matrix_advice(const matrix_result& r);

}  // namespace threadref::stress
