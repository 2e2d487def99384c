// SPDX-License-Identifier: MIT
#include "stress/faults/faults.hpp"

namespace {

using threadref::stress::foreign_keys;

constinit foreign_keys keys;

void destructor(void* value) {
  (value == &keys.value ? keys.calls : keys.mistaken).fetch_add(1);
}

[[gnu::constructor]] void create_keys() {
  pthread_key_t key{};
  while (keys.created != STRESS_KEYS && pthread_key_create(&key, &destructor) == 0) {
    if (keys.created++ == 0) keys.first = key;
  }
}

// This module is initialised first, so it is destroyed last.
[[gnu::destructor]] void end() {
  if (keys.at_the_end != nullptr) keys.at_the_end();
}

}  // namespace

extern "C" foreign_keys* threadref_stress_keys() {
  return &keys;
}
