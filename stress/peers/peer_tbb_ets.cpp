// SPDX-License-Identifier: MIT
#include <oneapi/tbb/enumerable_thread_specific.h>

#include <vector>

#include "peers/peer.hpp"

namespace {

using threadref::stress::callback;

// What a thread has is a list that runs when it is destroyed. oneTBB destroys it with the container
// and not with the thread.
struct list {
  std::vector<callback> all;
  list() = default;
  ~list() {
    while (!all.empty()) {
      const callback newest = all.back();
      all.pop_back();
      newest.run(newest.with);
    }
  }
  list(const list&) = delete;
  list& operator=(const list&) = delete;
};

auto& lists() {
  static tbb::enumerable_thread_specific<list> all;
  return all;
}

constexpr threadref::stress::mechanism m{.name = "peer_tbb_ets",
                                         .attach =
                                             [](callback c) {
                                               lists().local().all.push_back(c);
                                               return true;
                                             },
                                         .pending = [] { return lists().local().all.size(); }};

}  // namespace

const threadref::stress::mechanism* threadref_stress_mechanism() {
  return &m;
}
