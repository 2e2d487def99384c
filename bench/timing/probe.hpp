// SPDX-License-Identifier: MIT
// A probe is one fresh thread that registers finalizers and ends: each sample is one probe. The
// account beside it says what became of every one of them.
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

// What a faulty mechanism did to the finalizers of one thread, or of many.
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

// Written by the finalizers on the probe's thread, read after its join. Each id is counted by
// itself: a lost one and a doubled one cancel out in sums.
struct ledger {
  std::int64_t due = 0;  // the id whose turn it is: newest first
  std::uint64_t misordered = 0;
  std::uint64_t refused = 0;  // cancellations that did not succeed
  instant end = 0;            // when the last one ran; only that one reads the clock
  std::uint8_t* seen = nullptr;
  call* calls = nullptr;

  // An id that was skipped is a lost one, and one that runs again a doubled one: only the first run
  // of one that should have come before those already run is out of order.
  [[gnu::noinline, gnu::cold]] void out_of_turn(std::int64_t id, bool is_first) noexcept {
    if (is_first && id > due) ++misordered;
  }
};

// The finalizer of every timed body: 16 bytes. Ids are given from 0 in order of registration, so 0
// must run last. (Where the oldest runs first, they are given downwards: see id_of().)
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

// How mechanisms without closures get the same: a function and a pointer to the 16 bytes.
template <class C>
void run_state(void* state) {
  (*static_cast<const C*>(state))();
}

// What floors and peers keep for each finalizer.
struct entry {
  void (*fn)(void*);
  void* arg;
};

// What became of the finalizers of one thread, and room for what is kept for them. May be used for
// any number of threads, one at a time.
class account {
 public:
  explicit account(int most);
  account(const account&) = delete;
  account& operator=(const account&) = delete;
  ~account() = default;

  // Before its thread: how many of those that it registers, from id 0 on, must have run.
  void open(int registered);
  // When the thread is gone.
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
  instant empty = 0;   // the same two clock reads around nothing, on the same thread just before
  instant total = 0;   // exits: last statement to joined
  instant life = 0;    // before the creation to joined
};

class probe : public account {
 public:
  // What the probe's thread does. It sets `start`, and `stop` unless the last finalizer does.
  using routine = void (*)(probe& at);

  using account::account;

  // Creates a thread that runs the routine, and joins it. `registered`: how many of the finalizers
  // it registers must have run by then; their verdict is added to `found`.
  sample run(routine what, int registered, verdict& found);

  // The two halves of run(), for bodies that have something to do while the thread lives.
  void begin(routine what, int registered);
  sample join(verdict& found);

  // For the routine.
  int n = 0;  // how many are timed
  instant start = 0;
  instant stop = 0;
  void* shared = nullptr;  // what the body wants to share with it

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
