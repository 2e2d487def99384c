// SPDX-License-Identifier: MIT
#include "stress/accounting/ledger.hpp"

#include <sys/mman.h>

#include <memory>
#include <new>
#include <utility>

#include "testing/check.hpp"

namespace threadref::stress {

namespace {
std::atomic<std::uint64_t> last_number{0};
}

explicit_run::explicit_run(const record& thread, std::uint32_t finalizer) noexcept
    : r(&thread), id(finalizer), outer(std::exchange(innermost, this)) {}

finalizer_ledger::finalizer_ledger(std::size_t threads, std::size_t finalizers, int memory_file)
    : threads_(threads),
      finalizers_(static_cast<std::uint32_t>(finalizers)),
      bytes_(threads * sizeof(record) + threads * finalizers * sizeof(entry)) {
  const int kind = memory_file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
  void* memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, kind, memory_file, 0);
  THREADREF_CHECK_ERRNO(memory != MAP_FAILED, "mmap of the ledger");
  // In a shared file the child's records and entries are already there, or all bytes are 0.
  records_ = static_cast<record*>(memory);
  entries_ = reinterpret_cast<entry*>(records_ + threads);
  used_ = memory_file < 0 ? 0 : threads;
}

finalizer_ledger::~finalizer_ledger() {
  munmap(static_cast<void*>(records_), bytes_);
}

record& finalizer_ledger::open(std::size_t thread, std::uint64_t seed) {
  THREADREF_CHECK(thread < threads_, "the ledger has no room for another thread");
  record& r = *std::construct_at(&records_[thread]);
  r.number = last_number.fetch_add(1, std::memory_order_relaxed) + 1;
  r.ledger = this;
  r.index = thread;
  r.choices = generator(seed);
  if (used_ <= thread) used_ = thread + 1;
  return r;
}

void finalizer_ledger::enter(const record& r) noexcept {
  my_number = r.number;
}

std::uint32_t finalizer_ledger::push(record& r, std::uint8_t marks) noexcept {
  const std::uint32_t id = r.registered.load(std::memory_order_relaxed);
  if (id == finalizers_) return no_id;
  entry& e = *std::construct_at(&at(r, id));
  e.marks.store(marks, std::memory_order_relaxed);
  e.below = r.top;
  r.top = id;
  r.registered.store(id + 1, std::memory_order_release);
  return id;
}

void finalizer_ledger::refused(record& r, std::uint32_t id) noexcept {
  at(r, id).marks.fetch_or(mark::refused, std::memory_order_relaxed);
}

// Newest first means that nothing younger is pending. Younger ones that were claimed are skipped;
// if one of those runs after all, it is no longer found here, and counts as overtaken.
bool finalizer_ledger::is_newest(record& r, std::uint32_t id, const entry* entries) noexcept {
  while (r.top != no_id && r.top > id) r.top = entries[r.top].below;
  if (r.top != id) return false;
  r.top = entries[id].below;
  return true;
}

void finalizer_ledger::fire(record& r, std::uint32_t id) noexcept {
  for (explicit_run* x = explicit_run::innermost; x != nullptr; x = x->outer) {
    if (x->r == &r && x->id == id) {
      ++x->ran;
      return;
    }
  }
  if (id >= r.registered.load(std::memory_order_acquire)) {
    strays_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  entry& e = at(r, id);
  std::uint8_t faults = 0;
  const bool first = e.ran.fetch_add(1, std::memory_order_relaxed) == 0;
  r.ran_at_exit.fetch_add(1, std::memory_order_relaxed);
  if (my_number != r.number) {
    faults |= fault::wrong_thread;
  } else if (first && !is_newest(r, id, &entries_[r.index * finalizers_])) {
    faults |= fault::misordered;
  }
  if (r.joined.load(std::memory_order_relaxed)) faults |= fault::after_join;
  if (r.ref_alive != nullptr && r.ref_alive(r.ref)) faults |= fault::seen_alive;
  if ((e.marks.load(std::memory_order_acquire) & mark::dropped_in_time) != 0)
    faults |= fault::after_drop;
  if (my_number == r.number) mark_next_if_dropped(r);
  if (faults != 0) record_fault(r, id, faults);
}

// An exit claims one finalizer at a time, so the next one, if it is dropped by now, was dropped
// before its turn. A later drop may meet a callback that is claimed but has not begun, and nobody
// outside can tell.
void finalizer_ledger::mark_next_if_dropped(const record& r) noexcept {
  if (r.top == no_id) return;
  entry& next = at(r, r.top);
  if ((next.marks.load(std::memory_order_acquire) & mark::dropped) != 0)
    next.marks.fetch_or(mark::dropped_in_time, std::memory_order_relaxed);
}

void finalizer_ledger::record_fault(record& r, std::uint32_t id, std::uint8_t faults) noexcept {
  at(r, id).faults.fetch_or(faults, std::memory_order_relaxed);
}

void finalizer_ledger::detached(record& r, std::uint32_t id) noexcept {
  at(r, id).claimed.fetch_add(1, std::memory_order_relaxed);
  detached_.fetch_add(1, std::memory_order_relaxed);
}

void finalizer_ledger::called(record& r, std::uint32_t id, int run) noexcept {
  at(r, id).claimed.fetch_add(static_cast<std::uint8_t>(run), std::memory_order_relaxed);
  called_.fetch_add(1, std::memory_order_relaxed);
}

void finalizer_ledger::ran_unclaimed(record& r, std::uint32_t id) noexcept {
  at(r, id).ran.fetch_add(1, std::memory_order_relaxed);
  record_fault(r, id, fault::wrong_thread);
}

void finalizer_ledger::dropped(record& r, std::uint32_t id) noexcept {
  // The thread itself is either not yet exiting or inside another finalizer.
  const bool in_time = my_number == r.number;
  at(r, id).marks.fetch_or(in_time ? mark::dropped | mark::dropped_in_time : mark::dropped,
                           std::memory_order_release);
}

void finalizer_ledger::token_gone(const record& r, std::uint32_t id) noexcept {
  at(r, id).marks.fetch_or(mark::token_gone, std::memory_order_relaxed);
}

bool finalizer_ledger::holds_token(const record& r, std::uint32_t id) noexcept {
  const unsigned marks = at(r, id).marks.load(std::memory_order_relaxed);
  return (marks & (mark::has_token | mark::token_gone)) == mark::has_token;
}

accounts finalizer_ledger::sum() noexcept {
  accounts all;
  for (std::size_t i = 0; i != used_; ++i) {
    const record& r = records_[i];
    const std::uint32_t entries = r.registered.load(std::memory_order_acquire);
    all.registered += entries;
    all.ran_at_exit += r.ran_at_exit.load(std::memory_order_relaxed);
    for (std::uint32_t id = 0; id != entries; ++id) {
      const entry& e = at(r, id);
      const std::uint8_t marks = e.marks.load(std::memory_order_relaxed);
      if ((marks & mark::refused) != 0) --all.registered;
      if ((marks & mark::dropped) != 0 && e.ran.load(std::memory_order_relaxed) == 0) ++all.dropped;
    }
  }
  all.ran_by_call = called_.load(std::memory_order_relaxed);
  all.detached = detached_.load(std::memory_order_relaxed);
  return all;
}

std::string_view finalizer_ledger::name_of(const entry& e,
                                           std::string_view if_never_ran) const noexcept {
  const unsigned ran = e.ran.load(std::memory_order_relaxed);
  const unsigned claimed = e.claimed.load(std::memory_order_relaxed);
  const unsigned faults = e.faults.load(std::memory_order_relaxed);
  const unsigned marks = e.marks.load(std::memory_order_relaxed);
  if ((marks & mark::refused) != 0) return "refused";
  if (ran > 1 || claimed > 1) return "twice";
  if (ran == 1 && claimed == 1) return "after_detach";
  if ((faults & fault::after_drop) != 0) return "after_drop";
  if ((faults & fault::wrong_thread) != 0) return "wrong_thread";
  if ((faults & fault::after_join) != 0) return "after_join";
  if ((faults & fault::misordered) != 0) return "misordered";
  if ((faults & fault::seen_alive) != 0) return "seen_alive";
  if ((faults & fault::corrupt) != 0) return "corrupt";
  if (ran == 0 && claimed == 0) return (marks & mark::dropped) != 0 ? "dropped" : if_never_ran;
  if ((marks & (mark::has_token | mark::token_gone)) == mark::has_token) return "leaked";
  return claimed == 1 ? "taken" : "once";
}

void finalizer_ledger::tally_outcomes(tally& into, std::string_view if_never_ran) {
  for (std::size_t i = 0; i != used_; ++i) {
    const record& r = records_[i];
    const std::uint32_t entries = r.registered.load(std::memory_order_acquire);
    std::uint64_t once = 0;  // nearly all outcomes
    for (std::uint32_t id = 0; id != entries; ++id) {
      const std::string_view name = name_of(at(r, id), if_never_ran);
      if (name == "once") {
        ++once;
      } else {
        into.add(name, 1);
      }
    }
    into.add("once", once);
  }
  into.add("wrong_thread", strays_.load(std::memory_order_relaxed));
}

void finalizer_ledger::clear() noexcept {
  for (std::size_t i = 0; i != used_; ++i) {
    records_[i].number = 0;
    records_[i].registered.store(0, std::memory_order_relaxed);
  }
  used_ = 0;
  called_.store(0, std::memory_order_relaxed);
  detached_.store(0, std::memory_order_relaxed);
  strays_.store(0, std::memory_order_relaxed);
}

}  // namespace threadref::stress
