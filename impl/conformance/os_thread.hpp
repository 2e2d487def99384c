// SPDX-License-Identifier: MIT
// Threads as the system makes them, and what they wait for. No check sleeps.
#pragma once

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>

namespace threadref::conformance {

// A raw POSIX thread, joined in the destructor: no wrapper may lend the library a hand (check 15),
// and it may end in any way.
class os_thread {
 public:
  explicit os_thread(std::function<void()> body, std::size_t stack_bytes = 0);
  os_thread(const os_thread&) = delete;
  os_thread& operator=(const os_thread&) = delete;
  ~os_thread() { join(); }

  // What the thread ended with: null, or PTHREAD_CANCELED. Again: the same.
  void* join();
  // False: it has not ended in that time.
  bool join_within(std::chrono::nanoseconds limit);
  void cancel();
  [[nodiscard]] pthread_t native() const { return thread_; }

  // Threads alive at once since reset_peak(), for the bound on blocks.
  static int peak() noexcept { return peak_.load(); }
  static void reset_peak() noexcept { peak_.store(alive_.load()); }

 private:
  std::function<void()> body_;
  pthread_t thread_{};
  void* result_ = nullptr;
  bool joined_ = false;
  static std::atomic<int> alive_;
  static std::atomic<int> peak_;
};

// Nobody joins it; `body` is destroyed on it.
void start_detached(std::function<void()> body);

// Opens once, for everybody. A check that would wait for ever fails instead, and goes on.
class gate {
 public:
  void open();
  void wait();
  [[nodiscard]] bool is_open();

  // How long wait() waits before it gives up; broken back ends lose what opens gates.
  static void set_patience(int seconds) noexcept { patience_seconds_ = seconds; }
  static int patience() noexcept { return patience_seconds_; }

 private:
  std::mutex m_;
  std::condition_variable opened_;
  bool open_ = false;
  static inline std::atomic<int> patience_seconds_{60};
};

// Yields until the condition holds. False: it did not for as long as a gate waits.
bool yield_until(const std::function<bool()>& condition);

}  // namespace threadref::conformance
