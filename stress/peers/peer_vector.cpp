// SPDX-License-Identifier: MIT
#include <vector>

#include "peers/peer.hpp"

namespace {

using threadref::stress::callback;

// Newest first, and until it is empty: what callbacks add while it runs is run as well.
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
thread_local list own;

constexpr threadref::stress::mechanism m{.name = "peer_vector",
                                         .attach =
                                             [](callback c) {
                                               own.all.push_back(c);
                                               return true;
                                             },
                                         .pending = [] { return own.all.size(); }};

}  // namespace

const threadref::stress::mechanism* threadref_stress_mechanism() {
  return &m;
}
