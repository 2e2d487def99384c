// SPDX-License-Identifier: MIT
#include <pthread.h>

#include <cstdlib>
#include <string_view>

#include "bench/baselines/peers/linked_list.hpp"
#include "bench/subjects/make_code.hpp"
#include "bench/timing/probe.hpp"
#include "bench_subjects.hpp"
#include "testing/check.hpp"

namespace threadref::bench {

struct peer_key_list {
  static constexpr std::string_view name = "peer_key_list";
  static constexpr std::string_view summary = "a key whose value is a list, as C programs do it";
  static constexpr std::string_view lacks =
      "takes none out again, asks malloc for each, and loses what comes in the last of the four "
      "rounds of keys";

  static void arm(entry* /*storage*/, int /*n*/) noexcept {}
  template <class C>
  [[gnu::always_inline]] static void add(C /*c*/, C* stored) {
    auto* const made = static_cast<linked_entry*>(std::malloc(sizeof(linked_entry)));
    THREADREF_CHECK(made != nullptr, "peer_key_list: out of memory");
    *made = {{&run_state<C>, stored}, static_cast<linked_entry*>(pthread_getspecific(key_))};
    THREADREF_CHECK_CALL(pthread_setspecific(key_, made));
  }

 private:
  static pthread_key_t create() {
    pthread_key_t key{};
    THREADREF_CHECK_CALL(pthread_key_create(&key, &run_linked<&std::free>));
    return key;
  }
  static inline const pthread_key_t key_ = create();
};

const subject_code& code_of_peer_key_list() {
  static const subject_code code = make_code<peer_key_list, scope::rows_and_sweeps>(row_kind::peer);
  return code;
}

}  // namespace threadref::bench
