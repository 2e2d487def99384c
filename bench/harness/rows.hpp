// SPDX-License-Identifier: MIT
// Registers the rows: the product of the table of scenarios and the lists of subjects.
#pragma once

#include "bench/harness/session.hpp"

namespace threadref::bench {

void register_rows(session& session);
// The smallest sizes only, for the back ends that are broken on purpose.
void register_canary_rows(session& session);

}  // namespace threadref::bench
