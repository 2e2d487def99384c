// SPDX-License-Identifier: MIT
// Linked into a program, it makes all keys of the library late ones: of an index that glibc needs
// memory for when a thread first sets it.
#include <pthread.h>

#include "testing/check.hpp"

namespace {

struct many_keys {
  many_keys() {
    for (int i = 0; i != 40; ++i) {
      pthread_key_t key{};
      THREADREF_CHECK_CALL(pthread_key_create(&key, nullptr));
    }
  }
};
// Before the constructors of the library.
[[gnu::init_priority(101)]] const many_keys taken;

}  // namespace
