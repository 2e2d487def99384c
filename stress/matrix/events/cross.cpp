// SPDX-License-Identifier: MIT
// One mechanism used in the destructor of another.
#include "matrix/events.hpp"

namespace threadref::stress {

std::span<const event> cross_events() {
  return {};
}

}  // namespace threadref::stress
