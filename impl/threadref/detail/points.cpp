// SPDX-License-Identifier: MIT
#include "threadref/detail/points.hpp"

#include <atomic>

namespace threadref::inline THREADREF_ABI::detail {

namespace {
constinit std::atomic<point_hook> hook_at_points{nullptr};
}

void set_point_hook(point_hook hook) noexcept {
  hook_at_points.store(hook, std::memory_order_release);
}

void at_point(point where) noexcept {
  if (const point_hook hook = hook_at_points.load(std::memory_order_acquire)) hook(where);
}

}  // namespace threadref::inline THREADREF_ABI::detail
