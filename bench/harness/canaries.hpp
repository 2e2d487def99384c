// SPDX-License-Identifier: MIT
#pragma once

#include "bench/harness/session.hpp"

namespace threadref::bench {

// Prints what the rows found on each back end that is broken on purpose, and gives the exit status:
// fine only if every one was caught.
int judge_canaries(const session& session);

}  // namespace threadref::bench
