// SPDX-License-Identifier: MIT
#include <string_view>
#include <vector>

#include "bench/baselines/peers/calling_list.hpp"
#include "bench/subjects/make_code.hpp"
#include "bench/timing/probe.hpp"
#include "bench_subjects.hpp"

namespace threadref::bench {

struct peer_vector {
  static constexpr std::string_view name = "peer_vector";
  static constexpr std::string_view summary =
      "a thread_local vector of function and pointer, whose destructor calls them";
  static constexpr std::string_view lacks =
      "takes none out again, copies all when it grows, and loses what comes after its destruction";

  static void arm(entry* /*storage*/, int /*n*/) noexcept {}
  template <class C>
  [[gnu::always_inline]] static void add(C /*c*/, C* stored) {
    list().entries.push_back({&run_state<C>, stored});
  }

 private:
  using calling = calling_list<std::vector<entry>>;
  static calling& list() {
    thread_local calling own;
    return own;
  }
};

const subject_code& code_of_peer_vector() {
  static const subject_code code = make_code<peer_vector, scope::rows>(row_kind::peer);
  return code;
}

}  // namespace threadref::bench
