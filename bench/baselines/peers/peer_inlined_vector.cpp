// SPDX-License-Identifier: MIT
#include <absl/container/inlined_vector.h>

#include <string_view>

#include "bench/baselines/peers/calling_list.hpp"
#include "bench/subjects/make_code.hpp"
#include "bench/timing/probe.hpp"
#include "bench_subjects.hpp"

namespace threadref::bench {

struct peer_inlined_vector {
  static constexpr std::string_view name = "peer_inlined_vector";
  static constexpr std::string_view summary =
      "a thread_local absl::InlinedVector of function and pointer, with room for 16 in place";
  static constexpr std::string_view lacks =
      "as peer_vector; and every thread of the program carries the room, used or not";

  static void arm(entry* /*storage*/, int /*n*/) noexcept {}
  template <class C>
  [[gnu::always_inline]] static void add(C /*c*/, C* stored) {
    list().entries.push_back({&run_state<C>, stored});
  }

 private:
  using calling = calling_list<absl::InlinedVector<entry, 16>>;
  static calling& list() {
    thread_local calling own;
    return own;
  }
};

const subject_code& code_of_peer_inlined_vector() {
  static const subject_code code = make_code<peer_inlined_vector, scope::rows>(row_kind::peer);
  return code;
}

}  // namespace threadref::bench
