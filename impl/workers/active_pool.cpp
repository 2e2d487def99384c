// SPDX-License-Identifier: MIT
#include "workers/active_pool.hpp"

#include <algorithm>
#include <utility>

namespace threadref::workers {

void active_pool::enter(std::string name) {
  std::unique_lock lock(m_);
  left_.wait(lock, [this] { return inside_.size() < permits_; });
  inside_.insert(std::move(name));
  most_ = std::max(most_, inside_.size());
}

bool active_pool::leave(const std::string& name) {
  const std::lock_guard lock(m_);
  const auto at = inside_.find(name);
  if (at == inside_.end()) return false;
  inside_.erase(at);
  left_.notify_one();
  return true;
}

std::vector<std::string> active_pool::active() const {
  const std::lock_guard lock(m_);
  return {inside_.begin(), inside_.end()};
}

std::size_t active_pool::active_max() const {
  const std::lock_guard lock(m_);
  return most_;
}

}  // namespace threadref::workers
