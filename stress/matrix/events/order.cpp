// SPDX-License-Identifier: MIT
// In which order callbacks run, and beside what.
#include "matrix/events.hpp"

namespace threadref::stress {

std::span<const event> order_events() {
  return {};
}

}  // namespace threadref::stress
