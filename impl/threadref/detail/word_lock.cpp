// SPDX-License-Identifier: MIT
#include "threadref/detail/word_lock.hpp"

#include <pthread.h>

#include <ctime>

#include "threadref/detail/process.hpp"

namespace threadref::inline THREADREF_ABI::detail {

namespace {

class held {  // unlocks also when a cancellation unwinds
 public:
  explicit held(pthread_mutex_t& m) noexcept : m_(m) { pthread_mutex_lock(&m_); }
  ~held() { pthread_mutex_unlock(&m_); }
  held(const held&) = delete;
  held& operator=(const held&) = delete;

 private:
  pthread_mutex_t& m_;
};

timespec in_a_millisecond() noexcept {
  constexpr long second = 1'000'000'000;
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  t.tv_nsec += second / 1'000;
  if (t.tv_nsec >= second) {
    t.tv_nsec -= second;
    ++t.tv_sec;
  }
  return t;
}

}  // namespace

void word_lock::lock_slowly() noexcept {
  if (is_fork_pending()) settle_if_forked();
  const std::uint32_t held = process_number() * one_process;
  std::uint32_t seen = free;
  if (word_.compare_exchange_strong(seen, held, std::memory_order_acquire,
                                    std::memory_order_relaxed))
    return;
  // From here on the word says that a thread waits, even if none does once this one has the lock.
  while (seen = word_.exchange(held | wanted, std::memory_order_acquire),
         number_in(seen) == number_in(held))
    word_.wait(held | wanted, std::memory_order_relaxed);
}

void word_lock::begin_process(std::uint32_t pending) noexcept {
  const std::uint32_t next = (process_number() + 1) * one_process;
  held_here_.store((next != 0 ? next : one_process) | pending * one_fork,
                   std::memory_order_relaxed);
}

void unique_lock::lock() noexcept {
  of_->lock();
  owns_ = true;
}

void unique_lock::unlock() noexcept {
  of_->unlock();
  owns_ = false;
}

void event_count::notify_all() noexcept {
  { const held nobody_is_about_to_sleep(m_); }
  pthread_cond_broadcast(&changed_);
}

void event_count::wait(unique_lock& lock) {
  {
    const held asleep(m_);
    lock.unlock();
    const timespec until = in_a_millisecond();
    pthread_cond_clockwait(&changed_, &m_, CLOCK_MONOTONIC, &until);
  }
  lock.lock();
}

}  // namespace threadref::inline THREADREF_ABI::detail
