// SPDX-License-Identifier: MIT
// The lock of the library's own data, and where a thread sleeps until that data has changed.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

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

// What std::condition_variable_any is for, which asks malloc.
class bell {
 public:
  // Wakes all who sleep. Any thread, with or without the lock that goes with it.
  void ring() noexcept {
    { const std::lock_guard nobody_is_about_to_sleep(m_); }
    rung_.notify_all();
  }
  // Gives up the lock, and has it again when it returns: after a ring, a millisecond, or neither. A
  // cancellation point; the lock stays given up if it is left so.
  void sleep(std::unique_lock<word_lock>& lock) {
    {
      std::unique_lock asleep(m_);
      lock.unlock();
      rung_.wait_for(asleep, std::chrono::milliseconds(1));
    }
    lock.lock();
  }

 private:
  std::mutex m_;  // taken last
  std::condition_variable rung_;
};

}  // namespace threadref::detail
