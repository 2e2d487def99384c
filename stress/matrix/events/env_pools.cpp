// SPDX-License-Identifier: MIT
#include "matrix/events.hpp"
namespace threadref::stress {
std::span<const event> env_pools_events() {
  return {};
}
}
