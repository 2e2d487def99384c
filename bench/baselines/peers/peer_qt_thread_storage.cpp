// SPDX-License-Identifier: MIT
#include <string_view>
#include <vector>

#include "bench/baselines/peers/calling_list.hpp"
#include "bench/baselines/peers/qt_storage.hpp"
#include "bench/subjects/make_code.hpp"
#include "bench/timing/probe.hpp"
#include "bench_subjects.hpp"

namespace threadref::bench {

struct peer_qt_thread_storage {
  static constexpr std::string_view name = "peer_qt_thread_storage";
  static constexpr std::string_view summary =
      "a vector of function and pointer in a QThreadStorage";
  static constexpr std::string_view lacks =
      "takes none out again; a thread that Qt has not made gets a QThread object for it; Qt's "
      "headers want code for shared libraries, so each access is one call more here";

  static void arm(entry* /*storage*/, int /*n*/) noexcept {}
  template <class C>
  [[gnu::always_inline]] static void add(C /*c*/, C* stored) {
    void*& slot = *threadref_bench_qt_slot(&destroy);
    if (slot == nullptr) slot = new list;
    static_cast<list*>(slot)->entries.push_back({&run_state<C>, stored});
  }

 private:
  using list = calling_list<std::vector<entry>>;
  static void destroy(void* made) { delete static_cast<list*>(made); }
};

const subject_code& code_of_peer_qt_thread_storage() {
  static const subject_code code = make_code<peer_qt_thread_storage, scope::rows>(row_kind::peer);
  return code;
}

}  // namespace threadref::bench
