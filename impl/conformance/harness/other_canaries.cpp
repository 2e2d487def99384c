// SPDX-License-Identifier: MIT
#include "conformance/harness/subjects.hpp"
#include "scenarios/canaries.hpp"

namespace threadref::conformance {

std::span<const subject> others() {
  return rows_of<canaries>::all;
}

}  // namespace threadref::conformance
