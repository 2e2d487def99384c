// SPDX-License-Identifier: MIT
#include "workers/defer.hpp"

#include <absl/cleanup/cleanup.h>

#include <algorithm>

#include "threadref/ref.hpp"

namespace threadref::workers {

void defer_state_base::leftovers::wake() const {
  for (const worker_ptr& each : waiters) {
    // It needs no data, since a waiter checks again after each event. A waiter that has ended can
    // be ignored.
    static_cast<void>(each->post({.name = "settled", .target = each}));
  }
}

defer_state_base::leftovers defer_state_base::finish() {
  leftovers left;
  left.waiters.swap(waiters_);
  left.owner.swap(owner_);
  settled_.store(true, std::memory_order_release);
  return left;
}

bool defer_state_base::reject(std::exception_ptr error) {
  return settle([&] { error_ = std::move(error); });
}

void defer_state_base::own() {
  std::optional<ref> mine = ref([weak = weak_from_this()](const ref& self) {
    if (const std::shared_ptr<defer_state_base> at = weak.lock()) at->owner_ended(self);
  });
  const std::lock_guard lock(m_);
  if (!settled()) owner_.swap(mine);  // the ref that is replaced is destroyed after the lock
}

// The callback of a former owner may already run while another thread takes over.
void defer_state_base::owner_ended(const ref& thread) {
  leftovers left;
  {
    const std::lock_guard lock(m_);
    if (settled() || owner_ != thread) return;
    error_ = std::make_exception_ptr(broken_defer());
    left = finish();
  }
  left.wake();
}

bool defer_state_base::wait(this_worker::timeout_t timeout) {
  if (settled()) return true;
  const worker_ptr me = this_worker::current_or_root();
  {
    const std::lock_guard lock(m_);
    if (settled()) return true;
    waiters_.push_back(me);
  }
  const absl::Cleanup leaving = [&] { leave(me); };
  // From here on, settling it wakes this worker. Any event counts, because a listener may wait for
  // the same defer and consume the event that was meant for us.
  static_cast<void>(
      this_worker::wait_until([this](const event& /*any*/) { return settled(); }, timeout));
  return settled();
}

void defer_state_base::leave(const worker_ptr& waiter) noexcept {
  const std::lock_guard lock(m_);
  if (const auto at = std::find(waiters_.begin(), waiters_.end(), waiter); at != waiters_.end()) {
    waiters_.erase(at);
  }
}

}  // namespace threadref::workers
