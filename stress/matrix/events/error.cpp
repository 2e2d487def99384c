// SPDX-License-Identifier: MIT
// What callbacks throw.
#include "matrix/events.hpp"

namespace threadref::stress {

std::span<const event> error_events() {
  return {};
}

}  // namespace threadref::stress
