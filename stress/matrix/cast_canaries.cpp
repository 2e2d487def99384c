// SPDX-License-Identifier: MIT
#include "matrix/cast.hpp"
#include "matrix/contract.hpp"
#include "scenarios/canaries.hpp"

namespace threadref::stress {

const mechanism* canary_mechanism(std::string_view name) {
  return find_mechanism(canaries{}, name);
}

}  // namespace threadref::stress
