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

// Says when to give up waiting, however busy the machine is: whatever gets somewhere uses CPU time,
// and what hangs uses none, or far too much. Wall time counts only while next to none is used.
class deadline {
 public:
  using cpu_time = std::function<std::chrono::nanoseconds()>;
  explicit deadline(cpu_time of_those_awaited);
  // To be asked every now and then.
  [[nodiscard]] bool is_over();
  // How long nothing may happen, and half of the CPU time that may be used. Broken back ends lose
  // what is waited for.
  static void set_patience(std::chrono::seconds p) noexcept { patience_ = p; }
  // How often to ask, at the most.
  static std::chrono::milliseconds step() noexcept { return patience_.load() / 60; }

 private:
  cpu_time cpu_;
  std::chrono::nanoseconds used_at_first_;
  std::chrono::nanoseconds used_when_it_moved_;
  std::chrono::steady_clock::time_point moved_;
  static inline std::atomic<std::chrono::milliseconds> patience_{std::chrono::minutes(1)};
};
// By all threads of this process.
std::chrono::nanoseconds cpu_time_of_process();

// False: it does not hold, and won't.
bool wait_patiently(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
                    const std::function<bool()>& holds);
// The same without anything that says when to look; yields.
bool yield_until(const std::function<bool()>& holds);

// Opens once, for everybody. A check that would wait for ever fails instead, and goes on.
class gate {
 public:
  void open();
  void wait();
  [[nodiscard]] bool is_open();

 private:
  std::mutex m_;
  std::condition_variable opened_;
  bool open_ = false;
};

}  // namespace threadref::conformance
