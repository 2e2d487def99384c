// SPDX-License-Identifier: MIT
#include "stress/matrix/model/contract.hpp"
#include "stress/matrix/model/participants.hpp"

namespace threadref::stress {

const mechanism* backend_mechanism(std::string_view name) {
  return find_mechanism(backends{}, name);
}

}  // namespace threadref::stress
