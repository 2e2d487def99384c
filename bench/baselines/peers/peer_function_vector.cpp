// SPDX-License-Identifier: MIT
#include <functional>
#include <string_view>
#include <vector>

#include "bench/baselines/peers/calling_list.hpp"
#include "bench/subjects/make_code.hpp"
#include "bench/timing/probe.hpp"
#include "bench_subjects.hpp"

namespace threadref::bench {

struct peer_function_vector {
  static constexpr std::string_view name = "peer_function_vector";
  static constexpr std::string_view summary = "a thread_local vector of std::function<void()>";
  static constexpr std::string_view lacks =
      "as peer_vector; and asks malloc for each function of more than 16 bytes";

  static void arm(entry* /*storage*/, int /*n*/) noexcept {}
  template <class C>
  [[gnu::always_inline]] static void add(C c, C* /*stored*/) {
    list().entries.emplace_back(c);
  }

 private:
  using calling = calling_list<std::vector<std::function<void()>>>;
  static calling& list() {
    thread_local calling own;
    return own;
  }
};

const subject_code& code_of_peer_function_vector() {
  static const subject_code code = make_code<peer_function_vector, scope::rows>(row_kind::peer);
  return code;
}

}  // namespace threadref::bench
