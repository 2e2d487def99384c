// SPDX-License-Identifier: MIT
#include <oneapi/tbb/enumerable_thread_specific.h>

#include "stress/peers/calling_list.hpp"
#include "stress/peers/peer.hpp"

namespace {

using threadref::stress::callback;

// oneTBB destroys a thread's element with the container, not with the thread.
auto& lists() {
  static tbb::enumerable_thread_specific<threadref::stress::calling_list> all;
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
