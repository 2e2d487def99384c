// SPDX-License-Identifier: MIT
#pragma once

#include "bench/harness/session.hpp"

namespace threadref::bench {

// Prints what the rows found for each back end that is broken on purpose. Returns the exit status:
// fine only if all of them were caught.
int judge_canaries(const session& session);

}  // namespace threadref::bench
