// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

namespace threadref::testing {

// Does its work, if it has any, when it is destroyed: for statics and thread_locals that represent
// a program's own.
struct destructor_work {
  std::function<void()> work;
  destructor_work() = default;
  destructor_work(const destructor_work&) = delete;
  destructor_work& operator=(const destructor_work&) = delete;
  ~destructor_work() {
    if (work) work();
  }
};

}  // namespace threadref::testing
