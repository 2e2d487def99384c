// SPDX-License-Identifier: MIT
#include "workers/timer.hpp"

#include <utility>

namespace threadref::workers {

timer::timer(clock::duration delay, std::function<void()> function, options o)
    : when_(clock::now() + delay),
      function_(std::move(function)),
      thread_([this, o = std::move(o)] { run(o); }) {}

timer::~timer() {
  if (thread_.joinable()) thread_.join();
}

void timer::join() {
  thread_.join();
}

bool timer::cancel() {
  const std::lock_guard lock(m_);
  if (state_ != state::waiting) return false;
  state_ = state::cancelled;
  changed_.notify_one();
  return true;
}

bool timer::fired() const {
  const std::lock_guard lock(m_);
  return state_ == state::fired;
}

bool timer::may_fire() {
  std::unique_lock lock(m_);
  changed_.wait_until(lock, when_, [this] { return state_ == state::cancelled; });
  if (state_ == state::cancelled) return false;
  state_ = state::fired;
  return true;
}

void timer::run(const options& o) {
  name_this_thread(o.name);
  if (o.on_start != nullptr) o.on_start();
  if (may_fire()) function_();
}

}  // namespace threadref::workers
