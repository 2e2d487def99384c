// SPDX-License-Identifier: MIT
#include "workers/event_queue.hpp"

#include <utility>

namespace threadref::workers {

void event_queue::open() {
  const std::scoped_lock lock(m_);
  open_ = true;
}

void event_queue::close() {
  const std::scoped_lock lock(m_);
  open_ = false;
  changed_.notify_all();
}

bool event_queue::is_open() const {
  const std::scoped_lock lock(m_);
  return open_;
}

bool event_queue::post(event& e) {
  const std::scoped_lock lock(m_);
  if (!open_) return false;
  waiting_.push_back(std::move(e));
  changed_.notify_one();
  return true;
}

std::optional<event> event_queue::front() {
  if (waiting_.empty()) return std::nullopt;
  std::optional<event> oldest = std::move(waiting_.front());
  waiting_.pop_front();
  return oldest;
}

std::optional<event> event_queue::take(std::optional<steady::time_point> deadline) {
  std::unique_lock lock(m_);
  const auto worth_a_look = [this] { return !waiting_.empty() || !open_; };
  if (deadline) {
    changed_.wait_until(lock, *deadline, worth_a_look);
  } else {
    changed_.wait(lock, worth_a_look);
  }
  return front();
}

std::optional<event> event_queue::take_now() {
  const std::scoped_lock lock(m_);
  return front();
}

}  // namespace threadref::workers
