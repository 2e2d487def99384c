// SPDX-License-Identifier: MIT
// The data of the exit list: a node per registration, a block per (thread, back end).
//
// Both are type-stable: their memory is never given back, so a handle that outlives its thread
// still points at a node or block, compares serial and generation, and answers "gone". That is the
// whole reclamation scheme; no reference count or hazard pointer is paid per registration.
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "threadref/config.hpp"
#include "threadref/detail/closure.hpp"
#include "threadref/detail/memory.hpp"
#include "threadref/detail/points.hpp"

namespace threadref {

// running: its finalizers are pending. draining: its exit list has started to run; every ref of it
// reads null. ended: nothing of this back end will run on it any more.
enum class thread_state : std::uint8_t { running, draining, ended };

namespace detail {

class domain;

// One registration. Its word holds a generation, unique in the life of the slot, and a state;
// a handle remembers the generation.
struct node {
  enum state : std::uint64_t { gone = 0, armed = 1, running = 2 };
  static constexpr std::uint64_t word(std::uint64_t generation, state s) noexcept {
    return generation * 4 + s;
  }
  static constexpr state state_of(std::uint64_t w) noexcept { return static_cast<state>(w & 3U); }
  static constexpr std::uint64_t generation_of(std::uint64_t w) noexcept { return w >> 2U; }

  // What the word says to a handle of `generation`; a slot used again says gone.
  [[nodiscard]] state seen_by(std::uint64_t generation) const noexcept {
    const std::uint64_t w = word_now.load(std::memory_order_acquire);
    return generation_of(w) == generation ? state_of(w) : gone;
  }
  // Acquire and release meet in the waiters and in the next registration of this slot.
  void retire() noexcept {
    poison(closure, sizeof closure);
    const std::uint64_t w = word_now.load(std::memory_order_relaxed);
    word_now.store(word(generation_of(w), gone), std::memory_order_release);
  }

  std::atomic<std::uint64_t> word_now;
  union {
    closure_fn fn;        // while armed or running
    node* returned_next;  // gone, on its block's return list
  };
  alignas(std::uintptr_t) std::byte closure[closure_bytes];
  node* older;  // the referent's: the exit list, or the free list
  node* newer;  // the referent's; the node itself once popped by the drain
};

// What happened to registrations. One writer at a time: the referent, or who holds the lock.
struct tally {
  std::atomic<std::uint64_t> ran_by_call{0};
  std::atomic<std::uint64_t> detached{0};
  std::atomic<std::uint64_t> dropped{0};
};
// An increment by the only writer: a load and a store, no read-modify-write.
inline void bump(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

struct block {
  explicit block(domain& home_of_block) noexcept : home(&home_of_block) {}

  // --- What the referent writes, and refs read without the lock.
  std::atomic<std::uint64_t> live{0};  // the serial while running; 0 before, and from the drain on
  node* newest = nullptr;
  node* free = nullptr;
  node* fresh = nullptr;  // the next slot of the current slab never handed out in this life
  node* fresh_end = nullptr;
  slab* slabs = nullptr;  // the first stays with the block when its thread ends
  slab* current = nullptr;
  std::atomic<std::uint64_t> registered{0};
  std::atomic<std::uint64_t> ran_at_exit{0};
  std::atomic<std::uint64_t> abandoned{0};
  tally own;
  std::uint64_t refs_made = 0;
  std::uint64_t registered_in_time = 0;  // `registered` when the drain began
  int rounds = 0;                        // passes of the key stage so far
  bool draining_here = false;            // the referent's copy of `draining`
  bool refusing = false;                 // the limit on late registrations was met

  // --- Shared with other threads.
  alignas(cache_line) std::mutex m;
  std::atomic<std::uint32_t> pins{0};     // the thread itself is one; at 0 the block is recycled
  std::atomic<std::uint32_t> waiters{0};  // changed under m, read by the referent without
  std::uint64_t serial = 0;               // under m: whose life this is; 0: nobody's
  bool draining = false;                  // under m: foreign claims are refused
  bool described = false;                 // under m: tid and name are filled in
  std::atomic<thread_state> state{thread_state::ended};  // changed under m
  std::atomic<bool> has_returned{false};
  node* returned = nullptr;  // under m: slots that foreign winners are done with
  tally foreign;             // under m
  pthread_t thread{};
  pid_t tid = 0;
  char name[16] = {};
  std::condition_variable done;  // something is gone; waiters look again
  block* next_free = nullptr;    // under the domain's lock
  domain* const home;

  // The referent takes a slot: one that it used before, a fresh one, or from a new slab. Null: no
  // memory. O(1); only every n-th call leaves this function.
  node* take_slot() noexcept {
    if (node* n = free) {
      free = n->older;
      return n;
    }
    if (fresh != fresh_end) return fresh++;
    return refill();
  }
  void give_slot(node& n) noexcept {
    n.older = free;
    free = &n;
  }

  // The exit list, newest first; only the referent touches the links.
  void link(node& n) noexcept {
    n.older = newest;
    n.newer = nullptr;
    if (newest != nullptr) newest->newer = &n;
    newest = &n;
  }
  void unlink(node& n) noexcept {
    if (n.newer == &n) return;  // popped by the drain already
    if (n.older != nullptr) n.older->newer = n.newer;
    (n.newer != nullptr ? n.newer->older : newest) = n.older;
  }
  node* pop() noexcept {
    node* n = newest;
    if (n == nullptr) return nullptr;
    newest = n->older;
    if (newest != nullptr) newest->newer = nullptr;
    n->newer = n;
    return n;
  }

  // The referent's own node ends here: gone, its slot free again, waiters told.
  void retire_own(node& n) noexcept {
    n.retire();
    give_slot(n);
    if (waiters.load(std::memory_order_relaxed) != 0) wake();
  }
  // A foreign winner's node ends here; its slot goes home by the return list. Under m.
  void retire_foreign(node& n) noexcept;

  void begin_life(std::uint64_t new_serial) noexcept;
  // Idempotent. From here on the pending finalizers are the referent's alone, and refs read null.
  void begin_drain() noexcept;
  // From here on take_slot() gives nothing in this life.
  void refuse() noexcept {
    refusing = true;
    free = fresh = fresh_end = nullptr;
  }
  // Nothing of this life will run any more. Drops the thread's own pin.
  void end_life() noexcept;
  void wake() noexcept;

  // For a handle of life `of`. Under m. Reads tid and name the first time.
  void pin_described() noexcept;
  // Takes m; false when that life has ended.
  bool try_pin(std::uint64_t of) noexcept;
  void unpin() noexcept;

 private:
  node* refill() noexcept;
  void collect_returned() noexcept;
};

}  // namespace detail
}  // namespace threadref
