// SPDX-License-Identifier: MIT
#include "stress/peers/peer.hpp"
#include "testing/thread_atexit_impl.hpp"

namespace {

constexpr threadref::stress::mechanism m{
    .name = "peer_cxa_thread_atexit", .attach = [](threadref::stress::callback c) {
      return __cxa_thread_atexit_impl(c.run, c.with, &threadref_dso_handle) == 0;
    }};

}  // namespace

const threadref::stress::mechanism* threadref_stress_mechanism() {
  return &m;
}
