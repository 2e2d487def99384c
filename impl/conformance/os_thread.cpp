// SPDX-License-Identifier: MIT
#include "conformance/os_thread.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <thread>
#include <utility>

#include "scenarios/check.hpp"

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
  // The body stays in this object: it outlives the thread, so that destroying it is no part of any
  // way to end.
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

void gate::open() {
  const std::lock_guard lock(m_);
  open_ = true;
  opened_.notify_all();
}

void gate::wait() {
  std::unique_lock lock(m_);
  if (!opened_.wait_for(lock, std::chrono::seconds(patience()), [this] { return open_; })) {
    ADD_FAILURE() << "a gate never opened";
  }
}

bool gate::is_open() {
  const std::lock_guard lock(m_);
  return open_;
}

bool yield_until(const std::function<bool()>& condition) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(gate::patience());
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace threadref::conformance
