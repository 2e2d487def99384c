// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

#include "baselines/calling_list.hpp"
#include "probe.hpp"

namespace threadref::bench {

struct peer_vector {
  static constexpr std::string_view name = "peer_vector";
  static constexpr std::string_view summary =
      "a thread_local vector of function and pointer, whose destructor calls them";
  static constexpr std::string_view lacks =
      "takes none out again, copies all when it grows, and loses what comes after its destruction";

  static void arm(entry* /*storage*/, int /*n*/) noexcept {}
  template <class C>
  [[gnu::always_inline]] static void add(C /*c*/, C* kept) {
    list_.entries.push_back({&run_state<C>, kept});
  }

 private:
  static inline thread_local calling_list<std::vector<entry>> list_;
};

}  // namespace threadref::bench
