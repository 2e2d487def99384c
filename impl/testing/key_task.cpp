// SPDX-License-Identifier: MIT
#include "testing/key_task.hpp"

#include <atomic>
#include <utility>

#include "testing/check.hpp"

namespace threadref::testing {

int make_key(pthread_key_t& key) noexcept {
  return pthread_key_create(&key, &key_task::destructor);
}

namespace {

// Keys get their indexes as they are created, and their destructors run in that order. This one is
// created before the library's static objects create theirs. Some programs start without any key
// left: then older_key() reports the error.
struct early_key {
  early_key() noexcept : error(make_key(key)) {}
  pthread_key_t key{};
  int error;
};
[[gnu::init_priority(101)]] const early_key older;

constinit std::atomic<wrong_value_handler> on_wrong_value{[]() noexcept {
  die("the destructor of a foreign key got a value that is not its own", __FILE__, __LINE__, 0);
}};

}  // namespace

pthread_key_t older_key() {
  THREADREF_CHECK_CALL(older.error);
  return older.key;
}

void set_wrong_value_handler(wrong_value_handler handler) noexcept {
  on_wrong_value = handler;
}

// The link that holds the task; it holds null if this thread has not armed the task.
key_task** key_task::find_armed(const void* task) noexcept {
  key_task** link = &armed_;
  while (*link != nullptr && *link != task) link = &(*link)->next_armed_;
  return link;
}

void key_task::arm(pthread_key_t key) {
  key_ = key;
  if (*find_armed(this) == nullptr) next_armed_ = std::exchange(armed_, this);
  THREADREF_CHECK_CALL(pthread_setspecific(key_, this));
}

void key_task::destructor(void* value) {
  key_task** const link = find_armed(value);
  if (*link == nullptr) return on_wrong_value.load()();
  key_task& t = **link;
  // Armed again before the work, which may call pthread_exit.
  if (++t.round_ < t.rounds_) {
    THREADREF_CHECK_CALL(pthread_setspecific(t.key_, value));
  } else {
    *link = t.next_armed_;
  }
  t.work_(t.round_);
}

}  // namespace threadref::testing
