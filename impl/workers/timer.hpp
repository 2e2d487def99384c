// SPDX-License-Identifier: MIT
// A function that is called after a while, on a thread of its own, unless somebody cancels it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "workers/names.hpp"

namespace threadref::workers {

// Its thread starts at once, waits, calls the function, and ends; cancelled, it ends without.
// Either way it is a thread like any other, and what was registered on it runs at its exit. What
// the function throws ends the program, as on any std::thread.
class timer {
 public:
  using clock = std::chrono::steady_clock;
  struct options {
    std::string name = next_thread_name();
    // Called on the thread before it waits: the place to register what its exit must run, also if
    // the function never does.
    std::function<void()> on_start{};
  };

  timer(clock::duration delay, std::function<void()> function)
      : timer(delay, std::move(function), options{}) {}
  timer(clock::duration delay, std::function<void()> function, options o);
  // Waits for the thread: a timer that nobody cancelled keeps whoever owns it until it has fired.
  ~timer();
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;

  // True: the function will never be called. False: it is running or over, or cancelled before.
  bool cancel();
  // Has the function been called?
  [[nodiscard]] bool fired() const;
  // Waits for the end of the thread, its finalizers included. Once, and not on that thread.
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
