// SPDX-License-Identifier: MIT
// What a thread has beside the mechanism, and what also runs code when the thread ends.
#pragma once

#include <pthread.h>

#include <functional>

#include "matrix/scene.hpp"

namespace threadref::stress {

// Has `work` called when the thread_locals of the calling thread are destroyed: before those that
// were made earlier than the first call of this on the thread, after those made later.
void at_thread_local_end(std::function<void()> work);

// A key with a lower index than all others of the program, so that its destructors run first.
pthread_key_t older_key();
// One with a higher index than the subject's: that has registered on a thread before.
pthread_key_t younger_key(scene& s);

// What a thread wants done when the destructor of one of these keys runs on it.
class key_task {
 public:
  // `work(round)` is called in the rounds 1, 2, ... `rounds`.
  key_task(int rounds, std::function<void(int)> work) : rounds_(rounds), work_(std::move(work)) {}
  // For the calling thread, one at a time. The task must live until that thread is joined.
  void arm(pthread_key_t key);

 private:
  static void destructor(void* value);
  friend int make_key(pthread_key_t& key) noexcept;
  // What the calling thread has armed: any other value is not ours.
  static inline constinit thread_local key_task* armed_ = nullptr;
  int rounds_;
  std::function<void(int)> work_;
  int round_ = 0;
  pthread_key_t key_{};
};

}  // namespace threadref::stress
