// SPDX-License-Identifier: MIT
// The workers of a thread: what start_overlay() puts on top of another, and a root below them.
#pragma once

#include <utility>

#include "workers/event.hpp"

namespace threadref::workers {

// Trivially destructible where it is thread_local, so that finalizers can ask as well.
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
