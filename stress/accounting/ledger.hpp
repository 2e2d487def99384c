// SPDX-License-Identifier: MIT
// Who registered what, and what became of it: every finalizer is counted by itself, since a lost
// one and a doubled one cancel out in sums. The ledger knows nothing of back ends; it believes what
// the finalizers say when they run, and what detach(), cancel() and calls return.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "stress/accounting/tally.hpp"
#include "stress/engine/draw.hpp"

namespace threadref::stress {

class ledger;

inline constexpr std::uint32_t no_id = std::numeric_limits<std::uint32_t>::max();

// One finalizer or ref callback. Shared bytes are atomic so that a broken back end makes a count
// wrong, and not the harness.
struct entry {
  std::uint32_t below = no_id;         // the pending one that its thread registered before it
  std::atomic<std::uint8_t> ran{0};    // by its thread's exit
  std::atomic<std::uint8_t> taken{0};  // by a detach, cancel or call
  std::atomic<std::uint8_t> faults{0};
  std::atomic<std::uint8_t> marks{0};
};
struct fault {
  enum : std::uint8_t {
    misordered = 1,
    wrong_thread = 2,
    after_join = 4,
    seen_alive = 8,
    after_drop = 16,
    corrupt = 32,
  };
};
struct mark {
  enum : std::uint8_t {
    has_token = 1,
    token_gone = 2,
    is_ref = 4,
    dropped = 8,
    dropped_in_time = 16,  // and its turn in the exit had not come
    refused = 32,
  };
};

// One thread. Plain members are written by the creator before the thread starts, then by the thread
// alone, its finalizers included; that the joiner reads what they wrote is part of the question,
// and ThreadSanitizer's to judge.
struct record {
  std::uint64_t number = 0;  // no other thread of this process ever has it
  ledger* book = nullptr;
  std::size_t index = 0;
  generator choices;
  std::uint32_t top = no_id;                  // the newest pending finalizer, as the thread knows
  std::uint32_t late_left = 0;                // for scenarios whose finalizers register more
  void (*then)(record&) = nullptr;            // what each finalizer does besides counting itself
  const void* ref = nullptr;                  // a ref of this thread,
  bool (*ref_alive)(const void*) = nullptr;   // and how to ask it
  std::atomic<std::uint32_t> registered{0};   // entries in use
  std::atomic<std::uint32_t> ran_at_exit{0};  // runs, however often one entry ran
  std::atomic<bool> joined{false};
};

// The number of the thread we are on; 0: none of ours. Trivially destructible, and so readable at
// any time in the life of a thread.
inline constinit thread_local std::uint64_t my_number = 0;

// The caller is about to call a finalizer, or what a detach gave it: its run is not an exit's.
struct explicit_run {
  explicit_run(const record& of, std::uint32_t one) noexcept;
  ~explicit_run() { innermost = outer; }
  explicit_run(const explicit_run&) = delete;
  explicit_run& operator=(const explicit_run&) = delete;
  const record* r;
  std::uint32_t id;
  int ran = 0;
  explicit_run* outer;
  static inline constinit thread_local explicit_run* innermost = nullptr;
};

// What the library's counters must have grown by.
struct accounts {
  std::uint64_t registered = 0;
  std::uint64_t ran_at_exit = 0;
  std::uint64_t ran_by_call = 0;
  std::uint64_t detached = 0;
  std::uint64_t dropped = 0;
  std::uint64_t abandoned = 0;
};

class ledger {
 public:
  // For so many threads of so many finalizers each. The memory is that of `memory_file` (shared
  // with a child process) unless -1.
  ledger(std::size_t threads, std::size_t finalizers, int memory_file = -1);
  ~ledger();
  ledger(const ledger&) = delete;
  ledger& operator=(const ledger&) = delete;

  [[nodiscard]] std::size_t threads() const noexcept { return threads_; }
  [[nodiscard]] std::uint32_t finalizers() const noexcept { return finalizers_; }
  record& at(std::size_t thread) noexcept { return records_[thread]; }
  entry& at(const record& r, std::uint32_t id) noexcept {
    return entries_[r.index * finalizers_ + id];
  }

  // By the creator, before the thread starts: its record begins anew.
  record& open(std::size_t thread, std::uint64_t seed);
  // On the thread.
  static void enter(const record& r) noexcept;
  // On the thread, before it registers: the id to give to the finalizer, or no_id: no room left.
  std::uint32_t push(record& r, std::uint8_t marks = 0) noexcept;
  // The registration failed: nothing will run.
  void refused(record& r, std::uint32_t id) noexcept;
  // The finalizer runs.
  void fire(record& r, std::uint32_t id) noexcept;
  // What a ref callback saw of its own ref.
  void record_fault(record& r, std::uint32_t id, std::uint8_t faults) noexcept;
  // A detach or cancel was successful; a call was, and the finalizer then ran so often.
  void detached(record& r, std::uint32_t id) noexcept;
  void called(record& r, std::uint32_t id, int run) noexcept;
  // It ran although the call or detach said that it could not be had.
  void ran_unbidden(record& r, std::uint32_t id) noexcept;
  // The last handle of a ref is gone, on this or another thread.
  void dropped(record& r, std::uint32_t id) noexcept;
  void token_gone(const record& r, std::uint32_t id) noexcept;
  bool holds_token(const record& r, std::uint32_t id) noexcept;
  // pthread_join() has returned.
  static void joined(record& r) noexcept { r.joined.store(true, std::memory_order_relaxed); }

  // After all threads have ended: what the library should have counted; and what was seen, each
  // finalizer under one name, the worst that applies. `if_never_ran` names those that did not run.
  accounts sum() noexcept;
  void settle(tally& into, std::string_view if_never_ran = "lost");
  // All records are free again.
  void clear() noexcept;

 private:
  void look_at_next(const record& r) noexcept;
  static bool is_newest(record& r, std::uint32_t id, const entry* entries) noexcept;
  std::string_view name_of(const entry& e, std::string_view if_never_ran) const noexcept;

  std::size_t threads_;
  std::uint32_t finalizers_;
  std::size_t bytes_;
  record* records_;
  entry* entries_;
  std::size_t used_ = 0;
  std::atomic<std::uint64_t> called_{0};
  std::atomic<std::uint64_t> detached_{0};
  std::atomic<std::uint64_t> strays_{0};
};

}  // namespace threadref::stress
