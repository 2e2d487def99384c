// SPDX-License-Identifier: MIT
// The ways of making a thread: they decide how it ends.
#pragma once

#include <pthread.h>

#include <chrono>
#include <functional>

#include "stress/matrix/child/event_context.hpp"

namespace threadref::stress {

enum class thread_factory { posix, std_thread, std_jthread, std_async, packaged_task, c11, boost };

// Runs the body on a new thread made like this, joins it, and records the join. If this build has
// no such factory, the condition is absent.
void on_new_thread(event_context& ctx, thread_factory how, const std::function<void()>& body);
// The same by pthread_create, for events that do not ask about factories.
inline void on_new_thread(event_context& ctx, const std::function<void()>& body) {
  on_new_thread(ctx, thread_factory::posix, body);
}

// A POSIX thread that is not joined at once. What the body refers to must outlive it.
class posix_thread {
 public:
  posix_thread(event_context& ctx, std::function<void()> body);
  ~posix_thread();
  posix_thread(const posix_thread&) = delete;
  posix_thread& operator=(const posix_thread&) = delete;
  [[nodiscard]] pthread_t id() const noexcept { return id_; }
  // Waits for its end, and records it.
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

// Waits for the end of a thread that nobody joins, its destructors included: the kernel releases a
// robust mutex then. The waiter makes it. It must outlive the thread.
class kernel_end {
 public:
  kernel_end();
  kernel_end(const kernel_end&) = delete;
  kernel_end& operator=(const kernel_end&) = delete;
  // On the thread.
  void begin();
  // On another thread, after begin().
  void wait();
  // The same if the thread has ended already. False: it has not.
  bool try_wait();

 private:
  // After an attempt to lock the mutex, with its result.
  void take_over(int error);
  pthread_mutex_t held_{};
};

// Does the subject call anything at all when a thread ends? With one that does not, an event that
// waits for a callback would wait for ever.
bool has_exit_hook(event_context& ctx);

}  // namespace threadref::stress
