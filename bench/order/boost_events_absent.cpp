// SPDX-License-Identifier: MIT
#include "bench/order/order_trace.hpp"

namespace threadref::bench {

void plant_boost(trace& /*t*/) {}

std::string_view left_out_of_traces() {
  return "without Boost's events: its package was missing when this was built\n";
}

}  // namespace threadref::bench
