// SPDX-License-Identifier: MIT
// Replaces the files that instantiate the canaries in a program or module without them.
#include "stress/engine/cells.hpp"
#include "stress/matrix/model/participants.hpp"

namespace threadref::stress {

std::vector<cell_code> canary_cells() {
  return {};
}
const mechanism* canary_mechanism(std::string_view /*name*/) {
  return nullptr;
}

}  // namespace threadref::stress
