// SPDX-License-Identifier: MIT
// What the matrix says in words: if you need this, use that, because of this cell.
#pragma once

#include <string>
#include <vector>

#include "stress/matrix/runner/cell.hpp"

namespace threadref::stress {

// One for each need of which all rows were played.
std::vector<std::string> matrix_sentences(const matrix_result& r);

}  // namespace threadref::stress
