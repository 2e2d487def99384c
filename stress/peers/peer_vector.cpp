// SPDX-License-Identifier: MIT
#include "stress/peers/calling_list.hpp"
#include "stress/peers/peer.hpp"

namespace {

using threadref::stress::callback;

thread_local threadref::stress::calling_list own;

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
