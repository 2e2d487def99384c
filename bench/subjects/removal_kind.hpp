// SPDX-License-Identifier: MIT
#pragma once

namespace threadref::bench {

// How a finalizer can be had before its thread ends.
enum class way { cancel, detach, call };

template <way W, class Handle>
[[gnu::always_inline]] inline bool take_by(const Handle& handle) {
  if constexpr (W == way::cancel) {
    return handle.cancel();
  } else if constexpr (W == way::detach) {
    return handle.detach().has_value();
  } else {
    return handle();
  }
}

}  // namespace threadref::bench
