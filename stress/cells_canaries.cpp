// SPDX-License-Identifier: MIT
#include "play.hpp"
#include "scenarios/canaries.hpp"

namespace threadref::stress {

std::vector<cell_code> canary_cells() {
  return cells_of(canaries{}, true);
}

}  // namespace threadref::stress
