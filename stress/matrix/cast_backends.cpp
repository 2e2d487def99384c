// SPDX-License-Identifier: MIT
#include "matrix/cast.hpp"
#include "matrix/contract.hpp"

namespace threadref::stress {

const mechanism* backend_mechanism(std::string_view name) {
  return find_mechanism(backends{}, name);
}

}  // namespace threadref::stress
