// SPDX-License-Identifier: MIT
#include "conformance/harness/lane.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>

namespace threadref::conformance {

namespace {

// One fault tends to cause thousands of its kind.
constexpr std::size_t faults_shown = 5;

void add_fault(std::vector<std::string>& faults, int id, const char* what) {
  if (faults.size() < faults_shown) {
    faults.push_back("finalizer " + std::to_string(id) + " " + what);
  }
}

}  // namespace

at_stake& at_stake::operator|=(const at_stake& other) noexcept {
  any |= other.any;
  plain_at_bottom |= other.plain_at_bottom;
  order |= other.order;
  return *this;
}

void lane::open(std::uint64_t serial) {
  const std::lock_guard lock(m_);
  serial_ = serial;
  tid_ = gettid();
}

void lane::close() {
  const std::lock_guard lock(m_);
  closed_ = true;
}

int lane::next_id(bool plain) {
  const std::lock_guard lock(m_);
  const int id = static_cast<int>(records_.size());
  records_.push_back({plain});
  events_.push_back({id, false});
  return id;
}

void lane::expect(int id, fate f) {
  const std::lock_guard lock(m_);
  records_[static_cast<std::size_t>(id)].expected = f;
}

void lane::ran(int id, const sighting& seen) {
  const std::lock_guard lock(m_);
  record& r = records_[static_cast<std::size_t>(id)];
  if (r.expected == fate::by_call) {
    ++r.calls;
    return;
  }
  events_.push_back({id, true});
  if (gettid() != tid_) {
    add_fault(faults_, id, "ran on another thread than its own");
    if (tgkill(getpid(), tid_, 0) != 0) add_fault(faults_, id, "ran after its thread had ended");
  }
  if (seen.serial != serial_) add_fault(faults_, id, "ran under another serial than its own");
  if (!seen.draining) add_fault(faults_, id, "ran while its thread was not draining");
  if (!seen.expired) add_fault(faults_, id, "saw a ref of its thread that did not read null");
  if (closed_) add_fault(faults_, id, "ran after its thread was joined");
}

std::vector<int> lane::order() const {
  const std::lock_guard lock(m_);
  std::vector<int> ids;
  for (const event& e : events_) {
    if (e.ran) ids.push_back(e.id);
  }
  return ids;
}

at_stake lane::stake() const {
  const std::lock_guard lock(m_);
  at_stake found;
  const auto left = [](const record& r) { return r.expected == fate::at_exit; };
  const auto bottom = std::find_if(records_.begin(), records_.end(), left);
  found.any = bottom != records_.end();
  found.plain_at_bottom = found.any && bottom->plain;
  int pending = 0;
  for (const event& e : events_) {
    if (!is_left_to_exit(e.id)) continue;
    found.order |= e.ran && pending > 1;
    pending += e.ran ? -1 : 1;
  }
  return found;
}

std::vector<std::string> lane::judge() const {
  const std::lock_guard lock(m_);
  std::vector<std::string> faults = faults_;
  judge_counts(faults);
  judge_order(faults);
  return faults;
}

void lane::judge_counts(std::vector<std::string>& faults) const {
  std::vector<int> runs(records_.size(), 0);
  for (const event& e : events_) runs[static_cast<std::size_t>(e.id)] += e.ran ? 1 : 0;
  for (std::size_t i = 0; i != records_.size(); ++i) {
    const int id = static_cast<int>(i);
    const record& r = records_[i];
    const int at_exit = r.expected == fate::at_exit ? 1 : 0;
    if (runs[i] < at_exit) add_fault(faults, id, "never ran");
    if (runs[i] > at_exit) {
      add_fault(faults, id, at_exit != 0 ? "ran more than once" : "ran after it was removed");
    }
    const int by_call = r.expected == fate::by_call ? 1 : 0;
    if (r.calls != by_call) add_fault(faults, id, "was not run once by its call");
  }
}

// Replays the events on a stack: a finalizer that runs must be on top.
void lane::judge_order(std::vector<std::string>& faults) const {
  std::vector<int> pending;
  for (const event& e : events_) {
    if (!e.ran) {
      pending.push_back(e.id);
      continue;
    }
    while (!pending.empty() && !is_left_to_exit(pending.back())) pending.pop_back();
    if (pending.empty() || pending.back() != e.id) {
      return add_fault(faults, e.id, "ran out of turn: newest first is the order");
    }
    pending.pop_back();
  }
}

}  // namespace threadref::conformance
