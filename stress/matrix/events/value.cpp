// SPDX-License-Identifier: MIT
// What callbacks are called with.
#include "matrix/events.hpp"

namespace threadref::stress {

std::span<const event> value_events() {
  return {};
}

}  // namespace threadref::stress
