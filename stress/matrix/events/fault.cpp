// SPDX-License-Identifier: MIT
// What fails on purpose, once.
#include "matrix/events.hpp"

namespace threadref::stress {

std::span<const event> fault_events() {
  return {};
}

}  // namespace threadref::stress
