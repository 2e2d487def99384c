// SPDX-License-Identifier: MIT
// Which thread registered which finalizer, and what became of it. Every finalizer is counted
// separately, because in a sum a lost one and a doubled one cancel out. The ledger knows nothing of
// back ends; it relies on what finalizers report when they run and on what detach(), cancel() and
// calls return.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "stress/accounting/tally.hpp"
#include "stress/engine/draw.hpp"

namespace threadref::stress {

class finalizer_ledger;

inline constexpr std::uint32_t no_id = std::numeric_limits<std::uint32_t>::max();

// One finalizer or ref callback. Shared bytes are atomic, so that a broken back end makes counts
// wrong but causes no data race in the harness.
struct entry {
  std::uint32_t below = no_id;           // the pending one that its thread registered just before
  std::atomic<std::uint8_t> ran{0};      // by its thread's exit
  std::atomic<std::uint8_t> claimed{0};  // by a detach, cancel or call
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
    dropped_in_time = 16,  // dropped before its turn in the exit
    refused = 32,
  };
};

// One thread. Its creator writes the plain members before the thread starts; afterwards only the
// thread and its finalizers do. Whether the joiner sees those writes is part of what is tested, and
// ThreadSanitizer judges it.
struct record {
  std::uint64_t number = 0;  // unique in this process
  finalizer_ledger* ledger = nullptr;
  std::size_t index = 0;
  generator choices;
  std::uint32_t top = no_id;        // the newest pending finalizer, as far as the thread knows
  std::uint32_t late_left = 0;      // for scenarios whose finalizers register more of them
  void (*then)(record&) = nullptr;  // what each finalizer does besides counting itself
  const void* ref = nullptr;        // a ref of this thread,
  bool (*ref_alive)(const void*) = nullptr;   // and whether it is alive
  std::atomic<std::uint32_t> registered{0};   // entries in use
  std::atomic<std::uint32_t> ran_at_exit{0};  // runs, however often one entry ran
  std::atomic<bool> joined{false};
};

// The number of the calling thread; 0: not one of ours. Trivially destructible, so readable at any
// time in the life of a thread.
inline constinit thread_local std::uint64_t my_number = 0;

// The caller is about to call a finalizer, or what detach() returned: that is no run by an exit.
struct explicit_run {
  explicit_run(const record& thread, std::uint32_t finalizer) noexcept;
  ~explicit_run() { innermost = outer; }
  explicit_run(const explicit_run&) = delete;
  explicit_run& operator=(const explicit_run&) = delete;
  const record* r;
  std::uint32_t id;
  int ran = 0;
  explicit_run* outer;
  static inline constinit thread_local explicit_run* innermost = nullptr;
};

// By how much the library's counters must have grown.
struct accounts {
  std::uint64_t registered = 0;
  std::uint64_t ran_at_exit = 0;
  std::uint64_t ran_by_call = 0;
  std::uint64_t detached = 0;
  std::uint64_t dropped = 0;
  std::uint64_t abandoned = 0;
};

class finalizer_ledger {
 public:
  // With room for `threads` threads of `finalizers` each. It lies in `memory_file`, which a child
  // process shares, unless that is -1.
  finalizer_ledger(std::size_t threads, std::size_t finalizers, int memory_file = -1);
  ~finalizer_ledger();
  finalizer_ledger(const finalizer_ledger&) = delete;
  finalizer_ledger& operator=(const finalizer_ledger&) = delete;

  [[nodiscard]] std::size_t threads() const noexcept { return threads_; }
  [[nodiscard]] std::uint32_t finalizers() const noexcept { return finalizers_; }
  record& at(std::size_t thread) noexcept { return records_[thread]; }
  entry& at(const record& r, std::uint32_t id) noexcept {
    return entries_[r.index * finalizers_ + id];
  }

  // By the creator, before the thread starts: resets its record.
  record& open(std::size_t thread, std::uint64_t seed);
  // Called on the thread.
  static void enter(const record& r) noexcept;
  // On the thread, before it registers: returns the id for the finalizer, or no_id if there is no
  // room left.
  std::uint32_t push(record& r, std::uint8_t marks = 0) noexcept;
  // The registration failed: nothing will run.
  void refused(record& r, std::uint32_t id) noexcept;
  // The finalizer runs.
  void fire(record& r, std::uint32_t id) noexcept;
  // Such as what a ref callback saw of its own ref.
  void record_fault(record& r, std::uint32_t id, std::uint8_t faults) noexcept;
  // A detach or cancel succeeded; a call succeeded, and the finalizer ran `run` times.
  void detached(record& r, std::uint32_t id) noexcept;
  void called(record& r, std::uint32_t id, int run) noexcept;
  // It ran although the call reported that it could not claim it.
  void ran_unclaimed(record& r, std::uint32_t id) noexcept;
  // This or another thread dropped the last handle of a ref.
  void dropped(record& r, std::uint32_t id) noexcept;
  void token_gone(const record& r, std::uint32_t id) noexcept;
  bool holds_token(const record& r, std::uint32_t id) noexcept;
  // pthread_join() has returned.
  static void joined(record& r) noexcept { r.joined.store(true, std::memory_order_relaxed); }

  // After all threads have ended: what the library should have counted, and the outcomes, each
  // finalizer under one name, the worst that applies. `if_never_ran` names those that did not run.
  accounts sum() noexcept;
  void tally_outcomes(tally& into, std::string_view if_never_ran = "lost");
  // Frees all records.
  void clear() noexcept;

 private:
  void mark_next_if_dropped(const record& r) noexcept;
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
