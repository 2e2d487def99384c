// SPDX-License-Identifier: MIT
// Parents and children, and the teardown of a tree.
//
// A child that has ended is no longer among the children, but its thread may still run finalizers.
// They must come before the parent's, so the parent stores what it needs to join that thread until
// it finds that the thread has ended.
#include <algorithm>
#include <iterator>
#include <utility>

#include "workers/incarnation.hpp"
#include "workers/worker.hpp"

namespace threadref::workers {

worker_ptr worker::parent() const {
  const std::scoped_lock lock(link_);
  return parent_.lock();
}

std::vector<worker_ptr> worker::children() const {
  std::vector<worker_ptr> all;
  const std::scoped_lock lock(m_);
  all.reserve(children_.size());
  for (const auto& [number, one] : children_) all.push_back(one.child);
  return all;
}

void worker::enlist() {
  const std::scoped_lock link(link_);
  const worker_ptr to = parent_.lock();
  if (to == nullptr) return;
  const std::scoped_lock lock(to->m_);
  to->children_.insert({number_, {shared_from_this()}});
}

worker& worker::adopt(const worker_ptr& child) {
  worker_ptr old;
  const std::scoped_lock link(child->link_);
  if (old = child->parent_.lock(); old != nullptr) {
    const std::scoped_lock lock(old->m_);
    old->children_.erase(child->number_);
  }
  child->parent_ = weak_from_this();
  if (!child->is_running()) return *this;
  const std::scoped_lock lock(m_);
  children_.insert({child->number_, {child}});
  return *this;
}

worker& worker::disown(const worker_ptr& child) {
  const std::scoped_lock link(child->link_);
  if (child->parent_.lock().get() != this) return *this;
  child->parent_.reset();
  const std::scoped_lock lock(m_);
  children_.erase(child->number_);
  return *this;
}

void worker::leave_parent(const std::shared_ptr<incarnation>& run) {
  worker_ptr to;
  {
    const std::scoped_lock link(link_);
    to = parent_.lock();
    if (to == nullptr) return;
    const std::scoped_lock lock(to->m_);
    if (to->children_.erase(number_) != 0 && run->has_thread() && !daemon_)
      to->leaving_.push_back(run);
  }
  to->join_ended();
}

// Joins and forgets threads that have ended. Does so whenever there are twice as many threads as
// were left the last time.
void worker::join_ended() {
  std::vector<std::shared_ptr<incarnation>> ended;
  {
    const std::scoped_lock lock(m_);
    if (leaving_.size() < join_ended_at_) return;
    const auto first = std::partition(leaving_.begin(), leaving_.end(),
                                      [](const auto& run) { return !run->has_ended(); });
    std::move(first, leaving_.end(), std::back_inserter(ended));
    leaving_.erase(first, leaving_.end());
    join_ended_at_ = std::max<std::size_t>(16, 2 * leaving_.size());
  }
  for (const auto& run : ended) run->join();
}

void worker::stop_descendants() {
  std::vector<worker_ptr> all;
  {
    const std::scoped_lock lock(m_);
    for (auto& [number, one] : children_) {
      all.push_back(one.child);
      if (!std::exchange(one.stop_requested, true)) one.child->stop();
    }
  }
  for (const worker_ptr& one : all) one->stop_descendants();
}

bool worker::end_one_child() {
  enlisted next;
  {
    const std::scoped_lock lock(m_);
    if (children_.empty()) return false;
    next = std::move(children_.begin()->second);
    children_.erase(children_.begin());
  }
  if (!next.stop_requested) next.child->stop();
  if (!next.child->is_daemon()) next.child->join();
  return true;
}

bool worker::join_leaving() {
  std::vector<std::shared_ptr<incarnation>> all;
  {
    const std::scoped_lock lock(m_);
    all.swap(leaving_);
  }
  for (const auto& run : all) run->join();
  return !all.empty();
}

void worker::end_children() {
  if (how_.children == teardown::broadcast) stop_descendants();
  // Children that are ending may still create others.
  while (end_one_child() || join_leaving()) {
  }
}

}  // namespace threadref::workers
