// SPDX-License-Identifier: MIT
#include "scenarios/canaries.hpp"
#include "stress/engine/play.hpp"

namespace threadref::stress {

std::vector<cell_code> canary_cells() {
  std::vector<cell_code> cells = cells_of(canaries{}, cell_kind::canary);
  // The rare ones only in the scenario that starts the most threads per second.
  for_each_type(rare_canaries{}, [&cells]<class B>() {
    cells.push_back(cell_of<scenarios::id::churn, B>(cell_kind::canary));
    cells.back().rare = true;
  });
  return cells;
}

}  // namespace threadref::stress
