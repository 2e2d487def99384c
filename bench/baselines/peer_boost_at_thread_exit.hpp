// SPDX-License-Identifier: MIT
#pragma once

#include <boost/thread/thread.hpp>
#include <string_view>

#include "probe.hpp"

namespace threadref::bench {

struct peer_boost_at_thread_exit {
  static constexpr std::string_view name = "peer_boost_at_thread_exit";
  static constexpr std::string_view summary = "Boost.Thread's at_thread_exit(), raw";
  static constexpr std::string_view lacks =
      "takes none out again; what is added while they run comes after those that were pending; "
      "asks malloc twice for each";

  static void arm(entry* /*storage*/, int /*n*/) noexcept {}
  template <class C>
  [[gnu::always_inline]] static void add(C c, C* /*kept*/) {
    boost::this_thread::at_thread_exit(c);
  }
};

}  // namespace threadref::bench
