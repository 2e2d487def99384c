// SPDX-License-Identifier: MIT
#include "workers/incarnation.hpp"

#include <absl/cleanup/cleanup.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace threadref::workers {

incarnation::incarnation(bool has_thread)
    : has_thread_(has_thread),
      native_(has_thread ? native::starting : native::none),
      id_(pthread_self()) {}

incarnation::~incarnation() {
  if (native_ == native::unjoined) pthread_detach(id_);
}

void incarnation::launch(std::size_t stack_bytes, void* (*begin)(void*), void* argument) {
  pthread_attr_t how;
  pthread_attr_init(&how);
  const absl::Cleanup destroy = [&how] { pthread_attr_destroy(&how); };
  int error = pthread_attr_setstacksize(&how, stack_bytes);
  const std::scoped_lock lock(m_);  // no thread may join it before its id is known
  if (error == 0) error = pthread_create(&id_, &how, begin, argument);
  native_ = error == 0 ? native::unjoined : native::none;
  changed_.notify_all();
  if (error != 0) throw std::system_error(error, std::generic_category(), "a worker's thread");
}

void incarnation::began(thread_handle thread) {
  const std::scoped_lock lock(m_);
  thread_ = std::move(thread);
}

void incarnation::task_over(outcome what) {
  const std::scoped_lock lock(m_);
  what_ = std::move(what);
}

std::vector<worker_ptr> incarnation::done() {
  const std::scoped_lock lock(m_);
  done_ = true;
  return std::exchange(waiters_, {});
}

void incarnation::left() {
  const std::scoped_lock lock(m_);
  left_ = true;
  changed_.notify_all();
}

void incarnation::drained() {
  const std::scoped_lock lock(m_);
  drained_ = true;
  changed_.notify_all();
}

void incarnation::refuse_self() const {
  // Until it is joined, no other thread can have its id.
  const bool lives =
      has_thread_ ? native_ == native::unjoined || native_ == native::joining : !left_;
  if (lives && pthread_equal(id_, pthread_self()) != 0)
    throw std::system_error(std::make_error_code(std::errc::resource_deadlock_would_occur),
                            "a worker would wait for its own thread");
}

void incarnation::refuse_own_thread() const {
  const std::scoped_lock lock(m_);
  refuse_self();
}

void incarnation::join() {
  std::unique_lock lock(m_);
  refuse_self();
  if (!has_thread_) return changed_.wait(lock, [this] { return left_; });
  // Only one thread may call pthread_join(); the others wait for that one.
  changed_.wait(lock, [this] { return native_ != native::starting && native_ != native::joining; });
  if (native_ != native::unjoined) return;
  native_ = native::joining;
  lock.unlock();
  pthread_join(id_, nullptr);
  lock.lock();
  native_ = native::joined;
  changed_.notify_all();
}

bool incarnation::join_until(steady::time_point deadline) {
  {
    std::unique_lock lock(m_);
    refuse_self();
    const auto over = [this] {
      return has_thread_ ? drained_ || native_ == native::none || native_ == native::joined : left_;
    };
    if (!changed_.wait_until(lock, deadline, over)) return false;
  }
  join();  // only the native end of the thread is left
  return true;
}

bool incarnation::has_ended() const {
  return state() == worker_state::ended;
}

bool incarnation::add_waiter(const worker_ptr& waiter) {
  const std::scoped_lock lock(m_);
  if (!done_) waiters_.push_back(waiter);
  return !done_;
}

void incarnation::remove_waiter(const worker_ptr& waiter) {
  const std::scoped_lock lock(m_);
  // Removes one entry only: a worker may wait more than once, inside a listener.
  if (const auto at = std::find(waiters_.begin(), waiters_.end(), waiter); at != waiters_.end())
    waiters_.erase(at);
}

bool incarnation::is_done() const {
  const std::scoped_lock lock(m_);
  return done_;
}

outcome incarnation::what() const {
  const std::scoped_lock lock(m_);
  return what_;
}

thread_handle incarnation::thread() const {
  const std::scoped_lock lock(m_);
  return thread_;
}

worker_state incarnation::state() const {
  const std::scoped_lock lock(m_);
  if (!left_) return worker_state::finishing;
  if (!has_thread_ || native_ == native::joined) return worker_state::ended;
  switch (thread_.state()) {
    case thread_state::running:
      return worker_state::finishing;
    case thread_state::draining:
      return worker_state::draining;
    case thread_state::ended:
      break;
  }
  return worker_state::ended;
}

}  // namespace threadref::workers
