// SPDX-License-Identifier: MIT
#include "matrix/makers_boost.hpp"

#include <boost/thread/thread.hpp>

namespace threadref::stress {

bool run_boost_thread(const std::function<void()>& body) {
  boost::thread made(body);
  made.join();
  return true;
}

}  // namespace threadref::stress
