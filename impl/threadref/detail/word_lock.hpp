// SPDX-License-Identifier: MIT
// The lock of the library's own data, and a condition variable to wait for changes of that data.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <utility>

#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI::detail {

// A lock of one word, for critical sections of a few pointer swaps. Any thread. It must be unlocked
// by the thread that locked it or, in the child of a fork, by that thread's copy.
//
// Not std::mutex, because fork() takes all of these locks, one for each block. ThreadSanitizer
// tracks the mutexes that a thread holds, and ends a program that holds 64 (gcc 12:
// `CHECK failed: sanitizer_deadlock_detector.h:67`). It sees this lock as a plain atomic.
class word_lock {
 public:
  void lock() noexcept {
    std::uint32_t seen = free;
    if (word_.compare_exchange_strong(seen, held, std::memory_order_acquire,
                                      std::memory_order_relaxed)) [[likely]]
      return;
    // From here on the word says that a thread waits, even if none does once this one has the lock.
    while (word_.exchange(wanted, std::memory_order_acquire) != free)
      word_.wait(wanted, std::memory_order_relaxed);
  }
  // One exchange both releases the lock and tells whether a thread waits. A store followed by a
  // load might be reordered.
  void unlock() noexcept {
    if (word_.exchange(free, std::memory_order_release) == wanted) word_.notify_one();
  }

 private:
  enum : std::uint32_t { free, held, wanted };
  std::atomic<std::uint32_t> word_{free};
};

// Holds a lock while it is in scope. As std::lock_guard, whose header <mutex> takes a tenth as long
// to compile as <thread>, mostly for clocks.
template <class Lock>
class lock_guard {
 public:
  explicit lock_guard(Lock& of) noexcept : of_(of) { of_.lock(); }
  ~lock_guard() { of_.unlock(); }
  lock_guard(const lock_guard&) = delete;
  lock_guard& operator=(const lock_guard&) = delete;

 private:
  Lock& of_;
};

// As std::unique_lock: may be unlocked and locked again, or moved.
class unique_lock {
 public:
  unique_lock() = default;
  explicit unique_lock(word_lock& of) noexcept : of_(&of), owns_(true) { of.lock(); }
  unique_lock(const unique_lock&) = delete;
  unique_lock& operator=(const unique_lock&) = delete;
  unique_lock& operator=(unique_lock&& other) noexcept {
    std::swap(of_, other.of_);
    std::swap(owns_, other.owns_);
    return *this;
  }
  ~unique_lock() {
    if (owns_) unlock();
  }
  // Out of line for the sake of callers: with more copies of word_lock::lock() in them, g++ no
  // longer inlines it where a referent takes its own lock.
  void lock() noexcept;
  void unlock() noexcept;
  [[nodiscard]] bool owns_lock() const noexcept { return owns_; }

 private:
  word_lock* of_ = nullptr;
  bool owns_ = false;
};

// A condition variable that works with unique_lock. std::condition_variable_any calls malloc.
class event_count {
 public:
  // Wakes all waiters. Any thread, with or without the lock of the data.
  void notify_all() noexcept;
  // Releases the lock, waits for notify_all() or a millisecond, and takes the lock again. May also
  // return earlier. A cancellation point; if it is cancelled, the lock stays released.
  void wait(unique_lock& lock);

 private:
  // What std::mutex and std::condition_variable hold, without their headers.
  pthread_mutex_t m_ = PTHREAD_MUTEX_INITIALIZER;  // the last lock in the lock order
  pthread_cond_t changed_ = PTHREAD_COND_INITIALIZER;
};

}  // namespace threadref::inline THREADREF_ABI::detail
