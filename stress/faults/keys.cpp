// SPDX-License-Identifier: MIT
#include "stress/faults/faults.hpp"

namespace {

using threadref::stress::foreign_keys;

constinit foreign_keys keys;

void destructor(void* value) {
  (value == &keys.value ? keys.calls : keys.mistaken).fetch_add(1);
}

[[gnu::constructor]] void take() {
  pthread_key_t key{};
  while (keys.taken != STRESS_KEYS && pthread_key_create(&key, &destructor) == 0) {
    if (keys.taken++ == 0) keys.first = key;
  }
}

// What is initialised first is destroyed last.
[[gnu::destructor]] void end() {
  if (keys.at_the_end != nullptr) keys.at_the_end();
}

}  // namespace

extern "C" foreign_keys* threadref_stress_keys() {
  return &keys;
}
