// SPDX-License-Identifier: MIT
#include "conformance/ledger.hpp"

#include <unistd.h>

#include <cstddef>

namespace threadref::conformance {

namespace {

// One fault tends to come with thousands of its kind.
constexpr std::size_t faults_shown = 5;

void add_fault(std::vector<std::string>& faults, int id, const char* what) {
  if (faults.size() < faults_shown) {
    faults.push_back("finalizer " + std::to_string(id) + " " + what);
  }
}

}  // namespace

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
  if (gettid() != tid_) add_fault(faults_, id, "ran on another thread than its own");
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

bool lane::plain_at_bottom() const {
  const std::lock_guard lock(m_);
  for (const record& r : records_) {
    if (r.expected == fate::at_exit) return r.plain;
  }
  return false;
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
      add_fault(faults, id, at_exit != 0 ? "ran more than once" : "ran after it was taken");
    }
    const int by_call = r.expected == fate::by_call ? 1 : 0;
    if (r.calls != by_call) add_fault(faults, id, "was not run once by its call");
  }
}

// Plays the events back on a stack: what runs must be on top of it, whenever it was registered.
void lane::judge_order(std::vector<std::string>& faults) const {
  std::vector<int> pending;
  const auto is_taken = [this](int id) {
    return records_[static_cast<std::size_t>(id)].expected != fate::at_exit;
  };
  for (const event& e : events_) {
    if (!e.ran) {
      pending.push_back(e.id);
      continue;
    }
    while (!pending.empty() && is_taken(pending.back())) pending.pop_back();
    if (pending.empty() || pending.back() != e.id) {
      return add_fault(faults, e.id, "ran out of turn: newest first is the order");
    }
    pending.pop_back();
  }
}

}  // namespace threadref::conformance
