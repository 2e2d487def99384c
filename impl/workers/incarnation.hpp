// SPDX-License-Identifier: MIT
// One start of a worker: its thread, what came of it, and who waits for it.
#pragma once

#include <pthread.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "threadref/thread_info.hpp"
#include "workers/event.hpp"
#include "workers/event_queue.hpp"
#include "workers/outcome.hpp"

namespace threadref::workers {

class incarnation {
 public:
  // Without a thread of its own it stands on the calling one.
  explicit incarnation(bool has_thread);
  incarnation(const incarnation&) = delete;
  incarnation& operator=(const incarnation&) = delete;
  // Nobody joined it: then nobody will.
  ~incarnation();

  // Throws std::system_error; joining it is then over at once.
  void launch(std::size_t stack_bytes, void* (*begin)(void*), void* argument);

  // On its thread, in this order.
  void began(thread_handle thread);
  void task_over(outcome what);
  std::vector<worker_ptr> done();  // gives those who wait, to be woken
  void left();
  void drained();  // its last finalizer runs

  // Throws if the caller stands on its thread, and that is not over.
  void refuse_own_thread() const;
  void join();
  bool join_until(steady::time_point deadline);
  // Would join() return at once, or nearly?
  [[nodiscard]] bool has_ended() const;

  // False: it is done, there is nothing to wait for.
  bool add_waiter(const worker_ptr& who);
  void remove_waiter(const worker_ptr& who);
  [[nodiscard]] bool is_done() const;

  [[nodiscard]] bool has_thread() const noexcept { return has_thread_; }
  [[nodiscard]] outcome what() const;
  [[nodiscard]] thread_handle thread() const;
  // Once its queue is closed.
  [[nodiscard]] worker_state state() const;

 private:
  enum class native : std::uint8_t { none, starting, unjoined, joining, joined };
  void refuse_self() const;  // m_ is held

  const bool has_thread_;
  mutable std::mutex m_;
  std::condition_variable changed_;
  native native_;
  pthread_t id_;  // of the thread it stands on
  thread_handle thread_;
  outcome what_;
  std::vector<worker_ptr> waiters_;
  bool done_ = false;
  bool left_ = false;
  bool drained_ = false;
};

}  // namespace threadref::workers
