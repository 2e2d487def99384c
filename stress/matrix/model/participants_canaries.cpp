// SPDX-License-Identifier: MIT
#include "scenarios/canaries.hpp"
#include "stress/matrix/model/contract.hpp"
#include "stress/matrix/model/participants.hpp"

namespace threadref::stress {

const mechanism* canary_mechanism(std::string_view name) {
  return find_mechanism(canaries{}, name);
}

}  // namespace threadref::stress
