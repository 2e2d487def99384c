// SPDX-License-Identifier: MIT
// The stack of workers on a thread: start_overlay() puts one on top of another, a root is at the
// bottom.
#pragma once

#include <utility>

#include "workers/event.hpp"

namespace threadref::workers {

// The thread_local pointer is trivially destructible, so finalizers can use it as well.
struct frame {
  explicit frame(worker_ptr whose) noexcept : self(std::move(whose)), outer(innermost) {
    innermost = this;
  }
  frame(const frame&) = delete;
  frame& operator=(const frame&) = delete;
  ~frame() { innermost = outer; }

  worker_ptr self;
  frame* outer;
  static constinit thread_local frame* innermost;
};

inline constinit thread_local frame* frame::innermost = nullptr;

}  // namespace threadref::workers
