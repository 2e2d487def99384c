// SPDX-License-Identifier: MIT
#include <glib.h>

#include "stress/peers/peer.hpp"

namespace {

constexpr threadref::stress::mechanism m{.name = "peer_glib_private",
                                         .attach =
                                             [](threadref::stress::callback c) {
                                               // GLib expects a static variable, so it is never
                                               // freed.
                                               auto* const variable =
                                                   new GPrivate(G_PRIVATE_INIT(c.run));
                                               g_private_set(variable, c.with);
                                               return true;
                                             },
                                         .set_value =
                                             [](threadref::stress::callback c) {
                                               static GPrivate variable = G_PRIVATE_INIT(c.run);
                                               g_private_set(&variable, c.with);
                                               return true;
                                             }};

}  // namespace

const threadref::stress::mechanism* threadref_stress_mechanism() {
  return &m;
}
