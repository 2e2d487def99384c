// SPDX-License-Identifier: MIT
#include "bench/order/order_trace.hpp"

namespace threadref::bench {

void add_boost(order_trace& /*t*/) {}

std::string_view missing_events_note() {
  return "Boost's events are missing: its package was not installed when this was built\n";
}

}  // namespace threadref::bench
