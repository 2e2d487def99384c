// SPDX-License-Identifier: MIT
#include <boost/thread/tss.hpp>

#include "stress/peers/peer.hpp"

namespace {

using threadref::stress::callback;

void run(callback* c) {
  const callback one = *c;
  delete c;
  one.run(one.with);
}

// Never destroyed: a destroyed one would no longer run the callbacks of other threads.
auto* make_variable() {
  return new boost::thread_specific_ptr<callback>(&run);
}

constexpr threadref::stress::mechanism m{.name = "peer_boost_tss_each",
                                         .attach =
                                             [](callback c) {
                                               make_variable()->reset(new callback(c));
                                               return true;
                                             },
                                         .set_value =
                                             [](callback c) {
                                               static auto* const variable = make_variable();
                                               variable->reset(new callback(c));
                                               return true;
                                             }};

}  // namespace

const threadref::stress::mechanism* threadref_stress_mechanism() {
  return &m;
}
