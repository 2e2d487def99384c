// SPDX-License-Identifier: MIT
// Code that is unloaded while threads still need it.
#include "matrix/events.hpp"

namespace threadref::stress {

std::span<const event> unload_events() {
  return {};
}

}  // namespace threadref::stress
