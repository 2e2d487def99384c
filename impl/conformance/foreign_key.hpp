// SPDX-License-Identifier: MIT
// Two pthread keys that are not the library's: one older and one younger than all of its own.
#pragma once

#include <pthread.h>

#include <functional>
#include <map>
#include <string_view>

#include "conformance/os_thread.hpp"
#include "threadref/threadref.hpp"

namespace threadref::conformance {

// What a thread wants done when the destructor of a foreign key runs on it, in each round in turn.
class key_task {
 public:
  // `work(round)` is called in the rounds 1, 2, ... `rounds`.
  key_task(int rounds, std::function<void(int)> work) : rounds_(rounds), work_(std::move(work)) {}
  // For the calling thread. The task must live until that thread is joined.
  void arm(pthread_key_t key);
  static void destructor(void* task);

 private:
  int rounds_;
  std::function<void(int)> work_;
  int round_ = 0;
  pthread_key_t key_{};
};

// A lower index than every key of the library.
pthread_key_t older_key();
pthread_key_t make_key();
// A higher one than the back end's: some make theirs only when the first thread registers.
template <backend B>
pthread_key_t younger_key() {
  static std::map<std::string_view, pthread_key_t> keys;  // by the back end's name
  const auto [at, is_new] = keys.try_emplace(B::info.name);
  if (is_new) {
    os_thread([] { static_cast<void>(current<B>()); }).join();
    at->second = make_key();
  }
  return at->second;
}

}  // namespace threadref::conformance
