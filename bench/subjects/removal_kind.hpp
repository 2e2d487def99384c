// SPDX-License-Identifier: MIT
#pragma once

namespace threadref::bench {

// How a finalizer is removed before its thread ends.
enum class removal { cancel, detach, call };

template <removal R, class Handle>
[[gnu::always_inline]] inline bool remove_by(const Handle& handle) {
  if constexpr (R == removal::cancel) {
    return handle.cancel();
  } else if constexpr (R == removal::detach) {
    return handle.detach().has_value();
  } else {
    return handle();
  }
}

}  // namespace threadref::bench
