// SPDX-License-Identifier: MIT
#include "matrix/events.hpp"

#include "matrix/event.hpp"

namespace threadref::stress {

namespace {

constexpr event_group groups[] = {
    &end_events,
};

}  // namespace

std::span<const event_group> event_groups() {
  return groups;
}

}  // namespace threadref::stress
