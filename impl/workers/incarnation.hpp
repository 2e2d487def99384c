// SPDX-License-Identifier: MIT
// One start of a worker: its thread, its outcome, and the workers that wait for it.
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
  // Without a thread of its own it runs on the calling thread.
  explicit incarnation(bool has_thread);
  incarnation(const incarnation&) = delete;
  incarnation& operator=(const incarnation&) = delete;
  // Detaches the thread if it was not joined.
  ~incarnation();

  // Throws std::system_error; after that, join() returns at once.
  void launch(std::size_t stack_bytes, void* (*begin)(void*), void* argument);

  // Called on its thread, in this order.
  void began(thread_handle thread);
  void task_over(outcome what);
  std::vector<worker_ptr> done();  // returns the waiters, which must be woken
  void left();
  void drained();  // called by its last finalizer

  // Throws if it is called on its own thread, and that has not ended.
  void refuse_own_thread() const;
  void join();
  bool join_until(steady::time_point deadline);
  // Whether join() would return at once, or almost.
  [[nodiscard]] bool has_ended() const;

  // False: it is done, so there is nothing to wait for.
  bool add_waiter(const worker_ptr& waiter);
  void remove_waiter(const worker_ptr& waiter);
  [[nodiscard]] bool is_done() const;

  [[nodiscard]] bool has_thread() const noexcept { return has_thread_; }
  [[nodiscard]] outcome what() const;
  [[nodiscard]] thread_handle thread() const;
  // Only valid once the worker's queue is closed.
  [[nodiscard]] worker_state state() const;

 private:
  enum class native : std::uint8_t { none, starting, unjoined, joining, joined };
  void refuse_self() const;  // requires m_

  const bool has_thread_;
  mutable std::mutex m_;
  std::condition_variable changed_;
  native native_;
  pthread_t id_;  // of the thread it runs on
  thread_handle thread_;
  outcome what_;
  std::vector<worker_ptr> waiters_;
  bool done_ = false;
  bool left_ = false;
  bool drained_ = false;
};

}  // namespace threadref::workers
