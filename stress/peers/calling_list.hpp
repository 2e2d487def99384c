// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "stress/matrix/model/mechanism.hpp"

namespace threadref::stress {

// Calls its callbacks when it is destroyed: newest first and until it is empty, so callbacks that
// are added meanwhile run as well.
struct calling_list {
  std::vector<callback> all;
  calling_list() = default;
  ~calling_list() {
    while (!all.empty()) {
      const callback newest = all.back();
      all.pop_back();
      newest.run(newest.with);
    }
  }
  calling_list(const calling_list&) = delete;
  calling_list& operator=(const calling_list&) = delete;
};

}  // namespace threadref::stress
