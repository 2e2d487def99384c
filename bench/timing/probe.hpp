// SPDX-License-Identifier: MIT
// A probe is a new thread that registers finalizers and ends. Each sample is one probe. Its account
// records what became of every finalizer.
#pragma once

#include <pthread.h>

#include <chrono>
#include <cstdint>
#include <vector>

namespace threadref::bench {

using instant = std::int64_t;  // ns of the steady clock
inline instant now() noexcept {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

struct call;

// The faults of a mechanism, counted over the finalizers of one thread or of many.
struct verdict {
  std::uint64_t lost = 0;
  std::uint64_t doubled = 0;
  std::uint64_t misordered = 0;
  [[nodiscard]] bool good() const noexcept { return lost + doubled + misordered == 0; }
  void add(const verdict& other) noexcept {
    lost += other.lost;
    doubled += other.doubled;
    misordered += other.misordered;
  }
};

// Written by the finalizers on the probe's thread, read after its join. Each id has its own count,
// because in a sum a lost finalizer and a doubled one would cancel out.
struct ledger {
  std::int64_t due = 0;  // the id that must run next: newest first
  std::uint64_t misordered = 0;
  std::uint64_t refused = 0;  // cancellations that did not succeed
  instant end = 0;            // when the last finalizer ran; only that one reads the clock
  std::uint8_t* seen = nullptr;
  call* calls = nullptr;

  // A skipped id counts as lost, and a repeated one as doubled. An id is out of order only at its
  // first run, if it should have run before ids that have already run.
  [[gnu::noinline, gnu::cold]] void out_of_turn(std::int64_t id, bool is_first) noexcept {
    if (is_first && id > due) ++misordered;
  }
};

// The finalizer of every timed scenario: 16 bytes. Ids count up from 0 in the order of
// registration, so 0 must run last. (For a subject that runs the oldest first they count down: see
// id_of().)
struct call {
  ledger* of;
  std::int64_t id;
  void operator()() const noexcept {
    const bool is_first = of->seen[id]++ == 0;
    if (of->due != id) [[unlikely]]
      of->out_of_turn(id, is_first);
    of->due = id - 1;
    if (id == 0) of->end = now();
  }
};
static_assert(sizeof(call) == 16);

// The same finalizer for mechanisms without closures: a function and a pointer to the 16 bytes.
template <class C>
void run_state(void* state) {
  (*static_cast<const C*>(state))();
}

// What floors and peers store for each finalizer.
struct entry {
  void (*fn)(void*);
  void* arg;
};

// What became of the finalizers of one thread, and the storage that they need. Can be used for any
// number of threads, one at a time.
class account {
 public:
  explicit account(int most);
  account(const account&) = delete;
  account& operator=(const account&) = delete;
  ~account() = default;

  // Called before the thread starts. `registered`: how many finalizers, from id 0 on, must run.
  void open(int registered);
  // Called when the thread has ended.
  [[nodiscard]] verdict judge() const;

  ledger done;
  entry* storage() noexcept { return storage_.data(); }

 private:
  int registered_ = 0;
  std::vector<std::uint8_t> seen_;
  std::vector<call> calls_;
  std::vector<entry> storage_;
};

struct sample {
  instant region = 0;  // timed by the routine; for exits: last statement to last finalizer
  instant empty = 0;   // two clock reads around nothing, on the same thread just before
  instant total = 0;   // for exits: last statement to joined
  instant life = 0;    // from before the creation to joined
};

class probe : public account {
 public:
  // Runs on the probe's thread. It sets `start`, and `stop` unless the last finalizer does.
  using routine = void (*)(probe& at);

  using account::account;

  // Creates a thread that runs the routine, and joins it. `registered`: how many finalizers must
  // have run by then. Adds the faults to `found`.
  sample run(routine what, int registered, verdict& found);

  // The two halves of run(), for scenarios that do something while the thread runs.
  void begin(routine what, int registered);
  sample join(verdict& found);

  // For the routine.
  int n = 0;  // how many operations are timed
  instant start = 0;
  instant stop = 0;
  void* shared = nullptr;  // whatever the scenario shares with it

 private:
  static void* enter(void* self);
  [[gnu::noinline]] static void run_here(probe& at);

  routine what_ = nullptr;
  pthread_t thread_{};
  instant born_ = 0;
  instant empty_ = 0;
};

// probe::run() as a function.
sample run_probe(probe& at, probe::routine what, int registered, verdict& found);

}  // namespace threadref::bench
