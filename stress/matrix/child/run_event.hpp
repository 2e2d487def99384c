// SPDX-License-Identifier: MIT
// The child's part of a trial: one event under one condition with one mechanism, once.
#pragma once

#include <string>

#include "stress/cli/options.hpp"

namespace threadref::stress {

// A trial on a child's command line: <event>/<mechanism>/<number of the condition>.
std::string trial_name(std::string_view event, std::string_view mechanism, std::size_t condition);

// Returns what main() is to return.
int run_event(const options& o);

}  // namespace threadref::stress
