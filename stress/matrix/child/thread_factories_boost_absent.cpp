// SPDX-License-Identifier: MIT
#include "stress/matrix/child/thread_factories_boost.hpp"

namespace threadref::stress {

bool run_boost_thread(const std::function<void()>& /*body*/) {
  return false;
}

bool end_boost_thread(boost_end /*how*/, const std::function<void()>& /*body*/) {
  return false;
}

// By value, as in thread_factories_boost.cpp, which stores it.
bool at_boost_tss_end(
    std::function<void()> /*work*/) {  // NOLINT(performance-unnecessary-value-param)
  return false;
}

}  // namespace threadref::stress
