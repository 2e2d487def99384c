// SPDX-License-Identifier: MIT
// The lock of the library's own data, and where a thread sleeps until that data has changed.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <utility>

namespace threadref::detail {

// A lock of one word, for sections of some pointer swaps. Any thread; the one that has it unlocks
// it, or in the child of a fork that thread's copy.
//
// Not std::mutex, because fork() takes all of them, one a block: ThreadSanitizer follows which
// mutexes a thread holds, and ends a program that holds 64 (gcc 12:
// `CHECK failed: sanitizer_deadlock_detector.h:67`). It sees this one as the atomic that it is.
class word_lock {
 public:
  void lock() noexcept {
    std::uint32_t seen = free;
    if (word_.compare_exchange_strong(seen, held, std::memory_order_acquire,
                                      std::memory_order_relaxed)) [[likely]]
      return;
    // From here on it says that somebody waits, whether or not that is so when this thread has it.
    while (word_.exchange(wanted, std::memory_order_acquire) != free)
      word_.wait(wanted, std::memory_order_relaxed);
  }
  // One operation that stores and tells: a store, and then a load that asks who waits, might pass
  // each other.
  void unlock() noexcept {
    if (word_.exchange(free, std::memory_order_release) == wanted) word_.notify_one();
  }

 private:
  enum : std::uint32_t { free, held, wanted };
  std::atomic<std::uint32_t> word_{free};
};

// Holds a lock while it is in scope. What std::lock_guard does; but its header, <mutex>, takes a
// tenth of what <thread> takes to compile, most of it for clocks.
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

// The same for one that is given up and taken again meanwhile, or handed over: std::unique_lock.
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
  // Out of line, for the sake of callers: with more copies of word_lock::lock() in them, g++ calls
  // that where a referent takes its own lock.
  void lock() noexcept;
  void unlock() noexcept;
  [[nodiscard]] bool owns_lock() const noexcept { return owns_; }

 private:
  word_lock* of_ = nullptr;
  bool owns_ = false;
};

// What std::condition_variable_any is for, which asks malloc.
class bell {
 public:
  // Wakes all who sleep. Any thread, with or without the lock that goes with it.
  void ring() noexcept;
  // Gives up the lock, and has it again when it returns: after a ring, a millisecond, or neither. A
  // cancellation point; the lock stays given up if it is left so.
  void sleep(unique_lock& lock);

 private:
  // What std::mutex and std::condition_variable hold, without their headers.
  pthread_mutex_t m_ = PTHREAD_MUTEX_INITIALIZER;  // taken last
  pthread_cond_t rung_ = PTHREAD_COND_INITIALIZER;
};

}  // namespace threadref::detail
