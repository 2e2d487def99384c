// SPDX-License-Identifier: MIT
// A pthread key with a destructor, which a thread uses beside the tested mechanism.
#pragma once

#include <pthread.h>

#include <functional>
#include <utility>

namespace threadref::testing {

// Work that a thread does when the destructor of one of these keys runs on it.
class key_task {
 public:
  // Calls `work(round)` in the rounds 1, 2, ... `rounds`.
  key_task(int rounds, std::function<void(int)> work) : rounds_(rounds), work_(std::move(work)) {}
  // For the calling thread. The task must live until that thread is joined.
  void arm(pthread_key_t key);

 private:
  static void destructor(void* value);
  friend int make_key(pthread_key_t& key) noexcept;
  // The calling thread's armed tasks, a list; a destructor must not get any other value.
  static inline constinit thread_local key_task* armed_ = nullptr;
  static key_task** find_armed(const void* task) noexcept;
  key_task* next_armed_ = nullptr;
  int rounds_;
  std::function<void(int)> work_;
  int round_ = 0;
  pthread_key_t key_{};
};

// Creates a key for such tasks; returns an error number if the process has no key left.
int make_key(pthread_key_t& key) noexcept;
// A key with a lower index than every key of the library, so that its destructors run first.
pthread_key_t older_key();

// Called, on the thread that ends, when a key's destructor gets a value that is not its own. The
// default ends the program.
using wrong_value_handler = void (*)() noexcept;
void set_wrong_value_handler(wrong_value_handler handler) noexcept;

}  // namespace threadref::testing
