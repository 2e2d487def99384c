// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "bench/load/loaded_objects.hpp"
#include "bench/timing/probe.hpp"

namespace threadref::bench {

// peer_cxa_thread_atexit, called from the shared object that was loaded last.
struct peer_cxa_last_object {
  static constexpr std::string_view name = "peer_cxa_last_object";

  static void arm(entry* /*storage*/, int /*n*/) noexcept {}
  template <class C>
  [[gnu::always_inline]] static void add(C /*c*/, C* stored) noexcept {
    static_cast<void>(loaded_objects::registers_in_last(&run_state<C>, stored));
  }
};

}  // namespace threadref::bench
