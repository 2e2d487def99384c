// SPDX-License-Identifier: MIT
// Threads of every make: how a thread is made decides how it ends.
#pragma once

#include <pthread.h>

#include <chrono>
#include <functional>
#include <string_view>

#include "stress/matrix/child/event_context.hpp"

namespace threadref::stress {

enum class maker { posix, std_thread, std_jthread, std_async, packaged_task, c11, boost };
inline constexpr std::string_view maker_names[] = {
    "pthread_create", "std::thread", "std::jthread",  "std::async",
    "packaged_task",  "thrd_create", "boost::thread",
};

// Runs the body on a new thread of that make, joins it, and notes that it is joined. If there is no
// such maker in this build, the condition is absent.
void on_new_thread(event_context& ctx, maker how, const std::function<void()>& body);
// The same, by pthread_create: what an event uses that does not ask about makers.
inline void on_new_thread(event_context& ctx, const std::function<void()>& body) {
  on_new_thread(ctx, maker::posix, body);
}

// A posix thread that is not joined at once. The body must outlive it.
class posix_thread {
 public:
  posix_thread(event_context& ctx, std::function<void()> body);
  ~posix_thread();
  posix_thread(const posix_thread&) = delete;
  posix_thread& operator=(const posix_thread&) = delete;
  [[nodiscard]] pthread_t id() const noexcept { return id_; }
  // Waits for its end, and notes it.
  void join();
  // The same if it has ended already. False: it has not.
  bool try_join();
  // The same if it ends before that time.
  bool join_until(std::chrono::steady_clock::time_point when);
  void detach();

 private:
  static void* run(void* self);
  void note_end();
  struct state;
  state* state_;
  pthread_t id_{};
  bool over_ = false;
};

// Tells when a thread that nobody joins is over, its destructors included: the kernel says so. Made
// by the one that waits, who must outlive it.
class kernel_end {
 public:
  kernel_end();
  kernel_end(const kernel_end&) = delete;
  kernel_end& operator=(const kernel_end&) = delete;
  // On the thread.
  void begin();
  // On another one, after begin().
  void wait();
  // The same if it is over already. False: it is not.
  bool try_wait();

 private:
  // After the mutex was locked, with that result.
  void take_over(int error);
  pthread_mutex_t held_{};
};

// Does the subject call anything at all when a thread ends? One that does not would let whoever
// waits for a callback wait for ever.
bool hears_of_ends(event_context& ctx);

}  // namespace threadref::stress
