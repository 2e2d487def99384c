// SPDX-License-Identifier: MIT
#include "rows.hpp"

#include "scenarios/scenarios.hpp"

namespace threadref::bench {

void register_rows(session& all) {
  scenarios::for_each_row<scenarios::tool::bench>(
      [&all]<scenarios::id K>() { rows_of<K>::add(all); });
}

void register_canary_rows(session& all) {
  scenarios::for_each_row<scenarios::tool::bench>(
      [&all]<scenarios::id K>() { rows_of<K>::add_canaries(all); });
}

}  // namespace threadref::bench
