// SPDX-License-Identifier: MIT
// Which rows there are: the product of the table of scenarios and the lists of subjects.
#pragma once

#include "bench/harness/session.hpp"

namespace threadref::bench {

void register_rows(session& session);
// Smallest size only, over the back ends that are broken on purpose.
void register_canary_rows(session& session);

}  // namespace threadref::bench
