// SPDX-License-Identifier: MIT
#pragma once

#include "session.hpp"

namespace threadref::bench {

// Registers every row of the table with every subject that can do it.
void register_rows(session& all);
// The same with the back ends that are broken on purpose, and nothing else.
void register_canary_rows(session& all);

}  // namespace threadref::bench
