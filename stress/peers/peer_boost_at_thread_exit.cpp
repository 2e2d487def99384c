// SPDX-License-Identifier: MIT
#include <boost/thread/thread.hpp>

#include "stress/peers/peer.hpp"

namespace {

constexpr threadref::stress::mechanism m{
    .name = "peer_boost_at_thread_exit", .attach = [](threadref::stress::callback c) {
      boost::this_thread::at_thread_exit([c] { c.run(c.with); });
      return true;
    }};

}  // namespace

const threadref::stress::mechanism* threadref_stress_mechanism() {
  return &m;
}
