// SPDX-License-Identifier: MIT
#include <boost/thread/thread.hpp>
#include <boost/thread/tss.hpp>

#include "bench/order/order_trace.hpp"

namespace threadref::bench {

void add_boost(order_trace& t) {
  // Leaked on purpose: its destructor would run the cleanup on the main thread.
  static auto& value = *new boost::thread_specific_ptr<order_trace>(
      [](order_trace* of) { of->note(event::boost_pointer); });
  value.reset(&t);
  boost::this_thread::at_thread_exit([&t] { t.note(event::boost_at_exit); });
}

std::string_view missing_events_note() {
  return {};
}

}  // namespace threadref::bench
