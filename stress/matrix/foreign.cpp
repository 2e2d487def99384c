// SPDX-License-Identifier: MIT
#include "matrix/foreign.hpp"

#include <utility>

#include "matrix/makers.hpp"
#include "scenarios/check.hpp"
#include "scenarios/destructor_work.hpp"

namespace threadref::stress {

void at_thread_local_end(std::function<void()> work) {
  static thread_local scenarios::destructor_work slot;
  slot.work = std::move(work);
}

int make_key(pthread_key_t& key) noexcept {
  return pthread_key_create(&key, &key_task::destructor);
}

namespace {

// Made before the library makes its own in its constructors. Other events begin without any key:
// so who asks for it hears of an error.
struct early_key {
  early_key() noexcept : error(make_key(key)) {}
  pthread_key_t key{};
  int error;
};
[[gnu::init_priority(101)]] const early_key older;

}  // namespace

pthread_key_t older_key() {
  THREADREF_CHECK_CALL(older.error);
  return older.key;
}

pthread_key_t younger_key(scene& s) {
  on_new_thread(s, [&s] { s.attach(); });
  pthread_key_t key{};
  THREADREF_CHECK_CALL(make_key(key));
  return key;
}

void key_task::arm(pthread_key_t key) {
  key_ = key;
  armed_ = this;
  THREADREF_CHECK_CALL(pthread_setspecific(key_, this));
}

void key_task::destructor(void* value) {
  if (value != armed_)
    return scene::here().misdeed("the destructor of a foreign key got a value that is not its own");
  key_task& t = *armed_;
  if (++t.round_ < t.rounds_) THREADREF_CHECK_CALL(pthread_setspecific(t.key_, value));
  t.work_(t.round_);
}

}  // namespace threadref::stress
