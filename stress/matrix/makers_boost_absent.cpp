// SPDX-License-Identifier: MIT
#include "matrix/makers_boost.hpp"

namespace threadref::stress {

bool run_boost_thread(const std::function<void()>& /*body*/) {
  return false;
}

}  // namespace threadref::stress
