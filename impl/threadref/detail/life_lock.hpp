// SPDX-License-Identifier: MIT
// Tells that a thread has ended, even if nothing on that thread could say so.
#pragma once

#include <linux/futex.h>
#include <pthread.h>

#include "threadref/config.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI::detail {

// A lock that a thread holds for its life. Nobody ever waits for it: it is a robust mutex, so if
// its thread ends without releasing it (by the system call, or killed by a sandbox), the kernel
// marks it, before a join of the thread returns. To look costs a load, and no system call.
//
// Lives in memory that is never freed: the kernel writes to it, and others look at it, when the
// thread is gone.
class life_lock {
 public:
  life_lock() noexcept {
    pthread_mutexattr_t attributes{};
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&m_, &attributes);
    pthread_mutexattr_destroy(&attributes);
  }
  // Called by the thread when its life begins. Whoever held the lock before has released it, or
  // does not exist any more, in this process; marking it makes both one case, which the C library
  // and ThreadSanitizer know. To try is not to wait, so ThreadSanitizer sees no order of locks.
  void hold() noexcept {
    __atomic_store_n(&word(), FUTEX_OWNER_DIED, __ATOMIC_RELEASE);
    static_cast<void>(pthread_mutex_trylock(&m_));  // EOWNERDEAD
    pthread_mutex_consistent(&m_);
  }
  // In the child of a fork, on the surviving thread: the kernel does not know yet what it holds.
  void hold_in_child() noexcept {
    tell_race_checker_unlocked(&m_);
    hold();
  }
  // On the thread that holds it.
  void release() noexcept { pthread_mutex_unlock(&m_); }
  // Whether its thread ended while it held it. Any thread. Acquire: if another thread holds it by
  // now, what happened before that thread's hold() is visible.
  [[nodiscard]] bool owner_died() const noexcept {
    return (__atomic_load_n(&word(), __ATOMIC_ACQUIRE) & FUTEX_OWNER_DIED) != 0;
  }

 private:
  // glibc's name of the word that it shares with the kernel.
  int& word() noexcept { return m_.__data.__lock; }
  [[nodiscard]] const int& word() const noexcept { return m_.__data.__lock; }

  pthread_mutex_t m_;
};

}  // namespace threadref::inline THREADREF_ABI::detail
