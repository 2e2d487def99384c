// SPDX-License-Identifier: MIT
// What a forked process has.
#include "matrix/events.hpp"

namespace threadref::stress {

std::span<const event> fork_events() {
  return {};
}

}  // namespace threadref::stress
