// SPDX-License-Identifier: MIT
#include "stress/engine/play.hpp"

namespace threadref::stress {

std::vector<cell_code> backend_cells() {
  return cells_of(backends{}, cell_kind::backend);
}

}  // namespace threadref::stress
