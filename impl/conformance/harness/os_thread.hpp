// SPDX-License-Identifier: MIT
// Threads of the system, and what they wait for. No check sleeps.
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

// A raw POSIX thread, joined in the destructor. No wrapper may help the library (check 15), and the
// thread may end in any way.
class os_thread {
 public:
  explicit os_thread(std::function<void()> body, std::size_t stack_bytes = 0);
  os_thread(const os_thread&) = delete;
  os_thread& operator=(const os_thread&) = delete;
  ~os_thread() { join(); }

  // Returns the thread's result, null or PTHREAD_CANCELED; called again, the same.
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

// A detached thread; `body` is destroyed on it.
void start_detached(std::function<void()> body);

// Decides when to stop waiting, however busy the machine is: code that makes progress uses CPU
// time, code that hangs uses none, or far too much. Wall time counts only while almost none is
// used.
class deadline {
 public:
  using cpu_time = std::function<std::chrono::nanoseconds()>;
  explicit deadline(cpu_time of_those_awaited);
  // Call it regularly.
  [[nodiscard]] bool is_over();
  // How long nothing may happen, and half of the CPU time that may be used. Short for canaries,
  // which lose what a check waits for.
  static void set_patience(std::chrono::seconds p) noexcept { patience_ = p; }
  // The longest time between two calls of is_over().
  static std::chrono::milliseconds step() noexcept { return patience_.load() / 60; }

 private:
  cpu_time cpu_;
  std::chrono::nanoseconds used_at_first_;
  std::chrono::nanoseconds used_when_it_moved_;
  std::chrono::steady_clock::time_point moved_;
  static inline std::atomic<std::chrono::milliseconds> patience_{std::chrono::minutes(1)};
};
// Used by all threads of this process.
std::chrono::nanoseconds cpu_time_of_process();

// False: it does not hold, and is not expected to.
bool wait_patiently(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
                    const std::function<bool()>& holds);
// The same without a condition variable; yields.
bool yield_until(const std::function<bool()>& holds);

// Opens once, for all threads. A check that would wait for ever fails instead, and continues.
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
