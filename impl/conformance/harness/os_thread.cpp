// SPDX-License-Identifier: MIT
#include "conformance/harness/os_thread.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <thread>
#include <utility>

#include "testing/check.hpp"

namespace threadref::conformance {

std::atomic<int> os_thread::alive_{0};
std::atomic<int> os_thread::peak_{0};

os_thread::os_thread(std::function<void()> body, std::size_t stack_bytes) : body_(std::move(body)) {
  const int alive = ++alive_;
  int peak = peak_.load();
  while (peak < alive && !peak_.compare_exchange_weak(peak, alive)) {
  }
  pthread_attr_t attributes{};
  THREADREF_CHECK_CALL(pthread_attr_init(&attributes));
  if (stack_bytes != 0) THREADREF_CHECK_CALL(pthread_attr_setstacksize(&attributes, stack_bytes));
  // The body stays in this object, which outlives the thread: its destruction is not part of the
  // thread's end.
  const auto run = [](void* self) -> void* {
    static_cast<os_thread*>(self)->body_();
    return nullptr;
  };
  THREADREF_CHECK_CALL(pthread_create(&thread_, &attributes, run, this));
  THREADREF_CHECK_CALL(pthread_attr_destroy(&attributes));
}

void* os_thread::join() {
  if (!std::exchange(joined_, true)) {
    THREADREF_CHECK_CALL(pthread_join(thread_, &result_));
    --alive_;
  }
  return result_;
}

bool os_thread::join_within(std::chrono::nanoseconds limit) {
  if (joined_) return true;
  const std::chrono::nanoseconds until =
      std::chrono::steady_clock::now().time_since_epoch() + limit;
  constexpr std::int64_t second = 1'000'000'000;
  const timespec at{until.count() / second, until.count() % second};
  const int error = pthread_clockjoin_np(thread_, &result_, CLOCK_MONOTONIC, &at);
  THREADREF_CHECK(error == 0 || error == ETIMEDOUT, "pthread_clockjoin_np");
  joined_ = error == 0;
  if (joined_) --alive_;
  return joined_;
}

void os_thread::cancel() {
  THREADREF_CHECK_CALL(pthread_cancel(thread_));
}

void start_detached(std::function<void()> body) {
  pthread_attr_t attributes{};
  THREADREF_CHECK_CALL(pthread_attr_init(&attributes));
  THREADREF_CHECK_CALL(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED));
  const auto run = [](void* argument) -> void* {
    const std::unique_ptr<std::function<void()>> owned(
        static_cast<std::function<void()>*>(argument));
    (*owned)();
    return nullptr;
  };
  auto argument = std::make_unique<std::function<void()>>(std::move(body));
  pthread_t thread{};
  THREADREF_CHECK_CALL(pthread_create(&thread, &attributes, run, argument.get()));
  static_cast<void>(argument.release());
  THREADREF_CHECK_CALL(pthread_attr_destroy(&attributes));
}

deadline::deadline(cpu_time of_those_awaited)
    : cpu_(std::move(of_those_awaited)),
      used_at_first_(cpu_()),
      used_when_it_moved_(used_at_first_),
      moved_(std::chrono::steady_clock::now()) {}

bool deadline::is_over() {
  const std::chrono::nanoseconds patience = patience_.load();
  const auto now = std::chrono::steady_clock::now();
  const std::chrono::nanoseconds used = cpu_();
  // Threads that only wait and look use less.
  if (used - used_when_it_moved_ > patience / 100) {
    used_when_it_moved_ = used;
    moved_ = now;
  }
  return now - moved_ > patience || used - used_at_first_ > 2 * patience;
}

std::chrono::nanoseconds cpu_time_of_process() {
  timespec used{};
  THREADREF_CHECK_ERRNO(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0, "clock_gettime");
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

bool wait_patiently(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
                    const std::function<bool()>& holds) {
  deadline end(cpu_time_of_process);
  while (!changed.wait_for(lock, deadline::step(), holds)) {
    if (end.is_over()) return false;
  }
  return true;
}

bool yield_until(const std::function<bool()>& holds) {
  deadline end(cpu_time_of_process);
  while (!holds()) {
    if (end.is_over()) return false;
    std::this_thread::yield();
  }
  return true;
}

void gate::open() {
  const std::lock_guard lock(m_);
  open_ = true;
  opened_.notify_all();
}

void gate::wait() {
  std::unique_lock lock(m_);
  if (!wait_patiently(opened_, lock, [this] { return open_; })) {
    ADD_FAILURE() << "a gate never opened";
  }
}

bool gate::is_open() {
  const std::lock_guard lock(m_);
  return open_;
}

}  // namespace threadref::conformance
