// SPDX-License-Identifier: MIT
#include <pthread.h>

#include <new>

#include "stress/peers/peer.hpp"

namespace {

using threadref::stress::callback;

struct element {
  callback what;
  element* older;
};

// As C programs do it: the destructor runs the whole list. A callback that is added meanwhile gives
// the key a value again, and runs in the next round.
void run(void* newest) {
  for (auto* at = static_cast<element*>(newest); at != nullptr;) {
    const element one = *at;
    delete at;
    one.what.run(one.what.with);
    at = one.older;
  }
}

bool attach(callback c) {
  static pthread_key_t key{};
  static const bool made = pthread_key_create(&key, &run) == 0;
  if (!made) return false;
  auto* const one = new (std::nothrow) element{c, static_cast<element*>(pthread_getspecific(key))};
  if (one == nullptr) return false;
  if (pthread_setspecific(key, one) == 0) return true;
  delete one;
  return false;
}

constexpr threadref::stress::mechanism m{.name = "peer_key_list", .attach = &attach};

}  // namespace

const threadref::stress::mechanism* threadref_stress_mechanism() {
  return &m;
}
