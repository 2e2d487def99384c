// SPDX-License-Identifier: MIT
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/baselines/peers/calling_list.hpp"
#include "bench/subjects/make_code.hpp"
#include "bench/timing/probe.hpp"
#include "bench_subjects.hpp"

namespace threadref::bench {

struct peer_recycled_vector {
  static constexpr std::string_view name = "peer_recycled_vector";
  static constexpr std::string_view summary =
      "the same vector, with its buffer taken from a thread that has ended, under a mutex";
  static constexpr std::string_view lacks =
      "as peer_vector; keeps for ever as many buffers as threads ever lived at once, each as large "
      "as it ever was";

  static void arm(entry* /*storage*/, int /*n*/) noexcept {}
  template <class C>
  [[gnu::always_inline]] static void add(C /*c*/, C* stored) {
    list().entries.push_back({&run_state<C>, stored});
  }

 private:
  using buffer = std::vector<entry>;
  struct buffers {
    std::mutex guard;
    std::vector<buffer> free;
  };
  // Never destroyed: threads may end after statics are destroyed.
  static buffers& shared() {
    static buffers& all = *new buffers;
    return all;
  }
  struct recycled_list {
    buffer entries;
    recycled_list() {
      buffers& all = shared();
      const std::lock_guard lock(all.guard);
      if (all.free.empty()) return;
      entries = std::move(all.free.back());
      all.free.pop_back();
    }
    recycled_list(const recycled_list&) = delete;
    recycled_list& operator=(const recycled_list&) = delete;
    ~recycled_list() {
      call_all(entries);
      buffers& all = shared();
      const std::lock_guard lock(all.guard);
      all.free.push_back(std::move(entries));
    }
  };
  static recycled_list& list() {
    thread_local recycled_list own;
    return own;
  }
};

const subject_code& code_of_peer_recycled_vector() {
  static const subject_code code = make_code<peer_recycled_vector, scope::rows>(row_kind::peer);
  return code;
}

}  // namespace threadref::bench
