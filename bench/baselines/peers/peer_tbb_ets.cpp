// SPDX-License-Identifier: MIT
#include <oneapi/tbb/enumerable_thread_specific.h>

#include <string_view>
#include <vector>

#include "bench/baselines/peers/calling_list.hpp"
#include "bench/subjects/make_code.hpp"
#include "bench/timing/probe.hpp"
#include "bench_subjects.hpp"

namespace threadref::bench {

struct peer_tbb_ets {
  static constexpr std::string_view name = "peer_tbb_ets";
  static constexpr std::string_view summary =
      "a vector of function and pointer in a oneTBB enumerable_thread_specific";
  static constexpr std::string_view lacks =
      "nothing runs when a thread ends: here the thread calls them itself, last; its element "
      "stays, and the next thread of the same id gets it as it was left";
  static constexpr std::string_view no_exit = "no exit hook: nothing runs when the thread ends";

  static void arm(entry* /*storage*/, int /*n*/) noexcept {}
  template <class C>
  [[gnu::always_inline]] static void add(C /*c*/, C* stored) {
    shared().local().push_back({&run_state<C>, stored});
  }
  [[gnu::noinline]] static void run() { call_all(shared().local()); }
  // Frees the elements of threads that have ended.
  static void release() { shared().clear(); }

 private:
  using all_lists = tbb::enumerable_thread_specific<std::vector<entry>>;
  // Never destroyed, like the lists of the other peers.
  static all_lists& shared() {
    static all_lists& all = *new all_lists;
    return all;
  }
};

const subject_code& code_of_peer_tbb_ets() {
  static const subject_code code = make_code<peer_tbb_ets, scope::rows>(row_kind::peer);
  return code;
}

}  // namespace threadref::bench
