// SPDX-License-Identifier: MIT
#include <pthread.h>

#include "stress/peers/peer.hpp"

namespace {

// The C library calls the destructor with the value, unless the value is null.
constexpr threadref::stress::mechanism m{
    .name = "peer_key_each",
    .attach =
        [](threadref::stress::callback c) {
          pthread_key_t key{};
          return pthread_key_create(&key, c.run) == 0 && pthread_setspecific(key, c.with) == 0;
        },
    .set_value =
        [](threadref::stress::callback c) {
          static pthread_key_t key{};
          static const bool made = pthread_key_create(&key, c.run) == 0;
          return made && pthread_setspecific(key, c.with) == 0;
        }};

}  // namespace

const threadref::stress::mechanism* threadref_stress_mechanism() {
  return &m;
}
