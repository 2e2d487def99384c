// SPDX-License-Identifier: MIT
#include "threadref/thread_info.hpp"

#include "threadref/detail/process.hpp"

namespace threadref::inline THREADREF_ABI {

thread_handle thread_handle::adopt(detail::block& pinned) noexcept {
  thread_handle h;
  h.on_ = &pinned;
  const detail::lock_guard lock(pinned.m);
  h.serial_ = pinned.serial;
  return h;
}

thread_handle::thread_handle(const thread_handle& other) noexcept
    : on_(other.on_), serial_(other.serial_) {
  if (on_ != nullptr) on_->pins.fetch_add(1, std::memory_order_relaxed);
}

thread_handle::~thread_handle() {
  if (on_ != nullptr) on_->unpin();
}

// tid and name are written under the lock. The pin keeps the block from being reused for another
// thread.
pid_t thread_handle::tid() const noexcept {
  if (on_ == nullptr) return 0;
  const detail::lock_guard lock(on_->m);
  return on_->tid;
}

std::string thread_handle::name() const {
  if (on_ != nullptr) on_->refresh_name();
  return known_name();
}

std::string thread_handle::known_name() const {
  if (on_ == nullptr) return {};
  const detail::lock_guard lock(on_->m);
  return on_->name;
}

bool thread_handle::is_main() const noexcept {
  return on_ != nullptr && tid() == detail::main_tid();
}

thread_state thread_handle::state() const noexcept {
  if (on_ == nullptr || on_->life.owner_died()) return thread_state::ended;
  return on_->state.load(std::memory_order_acquire);
}

}  // namespace threadref::inline THREADREF_ABI
