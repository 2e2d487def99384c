// SPDX-License-Identifier: MIT
#include "threadref/detail/word_lock.hpp"

#include <pthread.h>

#include <ctime>

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
