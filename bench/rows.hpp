// SPDX-License-Identifier: MIT
// Which rows there are: the product of the table of scenarios and the lists of subjects.
#pragma once

#include "session.hpp"

namespace threadref::bench {

void register_rows(session& all);
// Smallest size only, over the back ends that are broken on purpose.
void register_canary_rows(session& all);

// The rows of one scenario. Defined in bodies/<file>.cpp, each for the bodies of its header, so
// that they compile beside each other.
template <scenarios::id K>
struct rows_of {
  static void add(session& all);
  static void add_canaries(session& all);
};

}  // namespace threadref::bench
