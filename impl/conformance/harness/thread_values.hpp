// SPDX-License-Identifier: MIT
// What a thread has beside the library: values of other keys, and thread_locals of class type.
#pragma once

#include <map>
#include <string_view>

#include "conformance/harness/os_thread.hpp"
#include "testing/check.hpp"
#include "testing/key_task.hpp"
#include "threadref/threadref.hpp"

namespace threadref::conformance {

using testing::key_task;
using testing::older_key;

// A key with a higher index than the back end's. Some back ends make theirs only when the first
// thread registers.
template <backend B>
pthread_key_t younger_key() {
  static std::map<std::string_view, pthread_key_t> keys;  // by the back end's name
  const auto [at, is_new] = keys.try_emplace(B::info.name);
  if (is_new) {
    os_thread([] { static_cast<void>(current<B>()); }).join();
    THREADREF_CHECK_CALL(testing::make_key(at->second));
  }
  return at->second;
}

// A thread_local of class type that shows whether it is alive. One for each tag; `alive` is
// trivial, and so readable at any time.
template <class Tag>
struct witness {
  static inline constinit thread_local bool alive = false;
  witness() { alive = true; }
  ~witness() { alive = false; }
  witness(const witness&) = delete;
  witness& operator=(const witness&) = delete;
  // Constructs the thread's own on the first call.
  static void construct() {
    static thread_local witness one;
    static_cast<void>(&one);
  }
};

}  // namespace threadref::conformance
