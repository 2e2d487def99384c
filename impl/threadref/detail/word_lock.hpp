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
// by the thread that locked it.
//
// Not std::mutex, because fork() waits for none of these locks: it copies them in whatever state
// they are. In the child the threads that held some do not exist. So the word of a held lock is the
// number of the process in its line of forks, and a lock with another number is free. Nobody has to
// find the locks that are left so, among those of every thread that was ever alive.
class word_lock {
 public:
  void lock() noexcept {
    const std::uint32_t held = held_here_.load(std::memory_order_relaxed);
    std::uint32_t seen = free;
    if ((held & forks) != 0 || !word_.compare_exchange_strong(seen, held, std::memory_order_acquire,
                                                              std::memory_order_relaxed))
        [[unlikely]]
      lock_slowly();
  }
  // One exchange both releases the lock and tells whether a thread waits. A store followed by a
  // load might be reordered.
  void unlock() noexcept {
    if ((word_.exchange(free, std::memory_order_release) & wanted) != 0) word_.notify_one();
  }
  // Whether the thread that held it vanished in a fork, perhaps in the middle of a change, and
  // nobody has held it since.
  [[nodiscard]] bool was_left_held() const noexcept {
    const std::uint32_t seen = word_.load(std::memory_order_relaxed);
    return seen != free && number_in(seen) != process_number();
  }

  // The number of this process in its line of forks.
  static std::uint32_t process_number() noexcept {
    return number_in(held_here_.load(std::memory_order_relaxed));
  }
  // From begin_fork() to end_fork(), which the forking thread calls in the parent, lock() takes the
  // slow path, on all threads: it asks first whether this is the child.
  static void begin_fork() noexcept { held_here_.fetch_add(one_fork, std::memory_order_relaxed); }
  static void end_fork() noexcept { held_here_.fetch_sub(one_fork, std::memory_order_relaxed); }
  static bool is_fork_pending() noexcept {
    return (held_here_.load(std::memory_order_relaxed) & forks) != 0;
  }
  // Called in the child: all locks are free. `pending`: forks that its only thread is still inside.
  static void begin_process(std::uint32_t pending) noexcept;

 private:
  void lock_slowly() noexcept;
  static std::uint32_t number_in(std::uint32_t word) noexcept { return word / one_process; }

  // The word of a held lock: the number of the process, and whether a thread may be waiting. In
  // held_here_ the forks in progress are between the two.
  enum : std::uint32_t {
    free = 0,
    wanted = 1,
    one_fork = 2,
    forks = 0xfffe,
    one_process = 0x10000
  };
  static inline constinit std::atomic<std::uint32_t> held_here_{one_process};
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
