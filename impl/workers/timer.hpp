// SPDX-License-Identifier: MIT
// Calls a function after a delay, on a thread of its own, unless it is cancelled.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "workers/names.hpp"

namespace threadref::workers {

// Its thread starts at once, waits, calls the function, and ends. If it is cancelled, it ends
// without the call. Either way finalizers registered on it run at its exit. If the function throws,
// the program ends, as on any std::thread.
class timer {
 public:
  using clock = std::chrono::steady_clock;
  struct options {
    std::string name = next_thread_name();
    // Called on the thread before it waits: the place to register finalizers that must run even if
    // the function is never called.
    std::function<void()> on_start{};
  };

  timer(clock::duration delay, std::function<void()> function)
      : timer(delay, std::move(function), options{}) {}
  timer(clock::duration delay, std::function<void()> function, options o);
  // Joins the thread: unless the timer was cancelled, this blocks until it has fired.
  ~timer();
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;

  // True: the function will never be called. False: it has been called, or was cancelled before.
  bool cancel();
  // Whether the function has been called.
  [[nodiscard]] bool fired() const;
  // Waits for the end of the thread, including its finalizers. Call it once, and not on that
  // thread.
  void join();

 private:
  enum class state { waiting, cancelled, fired };
  void run(const options& o);
  // Decides between cancel() and the end of the delay.
  bool may_fire();

  const clock::time_point when_;
  const std::function<void()> function_;
  mutable std::mutex m_;
  std::condition_variable changed_;
  state state_ = state::waiting;
  std::thread thread_;  // last: it uses the others
};

}  // namespace threadref::workers
