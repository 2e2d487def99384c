// SPDX-License-Identifier: MIT
#include <boost/thread/thread.hpp>
#include <string_view>

#include "bench/subjects/make_code.hpp"
#include "bench/timing/probe.hpp"
#include "bench_subjects.hpp"

namespace threadref::bench {

struct peer_boost_at_thread_exit {
  static constexpr std::string_view name = "peer_boost_at_thread_exit";
  static constexpr std::string_view summary = "Boost.Thread's at_thread_exit(), raw";
  static constexpr std::string_view lacks =
      "takes none out again; what is added while they run comes after those that were pending; "
      "asks malloc twice for each";

  static void arm(entry* /*storage*/, int /*n*/) noexcept {}
  template <class C>
  [[gnu::always_inline]] static void add(C c, C* /*stored*/) {
    boost::this_thread::at_thread_exit(c);
  }
};

const subject_code& code_of_peer_boost_at_thread_exit() {
  static const subject_code code =
      make_code<peer_boost_at_thread_exit, scope::rows>(row_kind::peer);
  return code;
}

}  // namespace threadref::bench
