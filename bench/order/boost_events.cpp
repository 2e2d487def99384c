// SPDX-License-Identifier: MIT
#include <boost/thread/thread.hpp>
#include <boost/thread/tss.hpp>

#include "bench/order/order_trace.hpp"

namespace threadref::bench {

void plant_boost(trace& t) {
  // Leaked: its destructor would run the cleanup on main.
  static auto& value =
      *new boost::thread_specific_ptr<trace>([](trace* of) { of->note(event::boost_pointer); });
  value.reset(&t);
  boost::this_thread::at_thread_exit([&t] { t.note(event::boost_at_exit); });
}

std::string_view left_out_of_traces() {
  return {};
}

}  // namespace threadref::bench
