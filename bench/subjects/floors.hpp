// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "bench/subjects/subject_code.hpp"

namespace threadref::bench {

// All floors, and the peers that only a few rows have.
const std::vector<subject_code>& floors_and_single_peers();

}  // namespace threadref::bench
