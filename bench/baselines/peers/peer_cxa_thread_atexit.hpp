// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "bench/timing/probe.hpp"
#include "testing/thread_atexit_impl.hpp"

namespace threadref::bench {

struct peer_cxa_thread_atexit {
  static constexpr std::string_view name = "peer_cxa_thread_atexit";
  static constexpr std::string_view summary =
      "the C library's own list, __cxa_thread_atexit_impl, raw";
  static constexpr std::string_view lacks =
      "takes none out again; no header declares it; an allocation for each; what comes while keys "
      "run is lost";

  static void arm(entry* /*storage*/, int /*n*/) noexcept {}
  template <class C>
  [[gnu::always_inline]] static void add(C /*c*/, C* stored) noexcept {
    static_cast<void>(__cxa_thread_atexit_impl(&run_state<C>, stored, &threadref_dso_handle));
  }
};

}  // namespace threadref::bench
