// SPDX-License-Identifier: MIT
// The groups of the table of events: each is a file in events/.
#pragma once

#include <span>

#include "matrix/event.hpp"

namespace threadref::stress {

std::span<const event> end_events();

}  // namespace threadref::stress
