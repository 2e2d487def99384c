// SPDX-License-Identifier: MIT
// Linked into a program, it makes all keys of the library late: their index is so high that glibc
// needs memory when a thread first sets a value.
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
// Constructed before the library's static objects.
[[gnu::init_priority(101)]] const many_keys low_indexes;

}  // namespace
