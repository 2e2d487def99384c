// SPDX-License-Identifier: MIT
#include <pthread.h>

#include <atomic>
#include <mutex>
#include <string_view>

#include "bench/subjects/make_code.hpp"
#include "bench/timing/probe.hpp"
#include "bench_subjects.hpp"
#include "testing/check.hpp"

namespace threadref::bench {

struct peer_key_each {
  static constexpr std::string_view name = "peer_key_each";
  static constexpr std::string_view summary = "a pthread key for each value";
  static constexpr std::string_view lacks =
      "a process has 1 024 keys, which all libraries share; glibc runs them oldest first, where "
      "POSIX leaves the order open; each value needs a place that outlives its thread";
  // Half of the keys of a process: the other half is left to the rest of the process.
  static constexpr int most = 512;
  static constexpr std::string_view why_no_more = "a process has no more than 1 024 keys";
  static constexpr bool oldest_first = true;

  static void arm(entry* storage, int n) {
    THREADREF_CHECK(n <= most, "peer_key_each: a process has no more than 1 024 keys");
    own_ = {storage, 0};
    if (made_.load(std::memory_order_acquire) < n) create(n);
  }
  template <class C>
  [[gnu::always_inline]] static void add(C /*c*/, C* stored) {
    entry* const place = own_.next++;
    *place = {&run_state<C>, stored};
    THREADREF_CHECK_CALL(pthread_setspecific(keys_[own_.key++], place));
  }
  // Called when no thread has a value any more: the next subject may need the keys.
  static void release() {
    while (made_ != 0) THREADREF_CHECK_CALL(pthread_key_delete(keys_[--made_]));
  }

 private:
  struct position {
    entry* next;
    int key;
  };
  static void run(void* place) { static_cast<entry*>(place)->fn(static_cast<entry*>(place)->arg); }
  static void create(int n) {
    const std::lock_guard lock(guard_);
    for (int made = made_; made < n; ++made) {
      THREADREF_CHECK_CALL(pthread_key_create(&keys_[made], &run));
      made_.store(made + 1, std::memory_order_release);
    }
  }
  static inline constinit std::mutex guard_;
  static inline constinit std::atomic<int> made_{0};
  static inline constinit pthread_key_t keys_[most]{};
  static inline constinit thread_local position own_{};
};

const subject_code& code_of_peer_key_each() {
  static const subject_code code = make_code<peer_key_each, scope::rows>(row_kind::peer);
  return code;
}

}  // namespace threadref::bench
