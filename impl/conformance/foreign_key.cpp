// SPDX-License-Identifier: MIT
#include "conformance/foreign_key.hpp"

#include "scenarios/check.hpp"

namespace threadref::conformance {

pthread_key_t make_key() {
  pthread_key_t key{};
  THREADREF_CHECK_CALL(pthread_key_create(&key, &key_task::destructor));
  return key;
}

namespace {

// Keys are numbered as they are made, and their destructors run in that order. This one is made
// before the constructors of the library, which make its keys.
struct early_key {
  const pthread_key_t key = make_key();
};
[[gnu::init_priority(101)]] const early_key older;

}  // namespace

pthread_key_t older_key() {
  return older.key;
}

void key_task::arm(pthread_key_t key) {
  key_ = key;
  THREADREF_CHECK_CALL(pthread_setspecific(key_, this));
}

void key_task::destructor(void* task) {
  auto& t = *static_cast<key_task*>(task);
  // Armed again before the work, which may end by pthread_exit.
  if (++t.round_ < t.rounds_) THREADREF_CHECK_CALL(pthread_setspecific(t.key_, task));
  t.work_(t.round_);
}

}  // namespace threadref::conformance
