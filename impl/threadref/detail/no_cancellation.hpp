// SPDX-License-Identifier: MIT
#pragma once

#include <pthread.h>

#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI::detail {

// Disables cancellation in its scope. Used while finalizers run: a cancellation in the middle of a
// drain would leave the rest undone (glibc drops all remaining keys).
class no_cancellation {
 public:
  no_cancellation() noexcept { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  ~no_cancellation() { pthread_setcancelstate(before_, nullptr); }
  no_cancellation(const no_cancellation&) = delete;
  no_cancellation& operator=(const no_cancellation&) = delete;

 private:
  int before_ = 0;
};

}  // namespace threadref::inline THREADREF_ABI::detail
