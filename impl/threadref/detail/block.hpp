// SPDX-License-Identifier: MIT
// The data of the exit list: a node per registration, a block per (thread, back end).
//
// Blocks are type-stable: recycled, never given back. A handle that outlives its thread still
// points at a block, compares the serial, and answers "gone"; it looks at its node only when the
// serial still holds, and no node leaves a block in the life of a thread. That is the whole
// reclamation scheme; no reference count or hazard pointer is paid per registration.
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "threadref/config.hpp"
#include "threadref/detail/closure.hpp"
#include "threadref/detail/exit_link.hpp"
#include "threadref/detail/memory.hpp"
#include "threadref/detail/points.hpp"
#include "threadref/phase.hpp"

namespace threadref {

// running: its finalizers are pending. draining: its exit list has started to run; every ref of it
// reads null. ended: nothing of this back end will run on it any more.
enum class thread_state : std::uint8_t { running, draining, ended };

struct counters;

namespace detail {

class domain;
struct block;

// One counter for all threads: see options::global_order.
std::uint64_t next_in_order() noexcept;

// One registration.
struct node : exit_link {
  // Acquire and release meet in the waiters and in the next registration of this slot.
  void retire() noexcept {
    poison(closure, sizeof closure);
    const std::uint64_t w = word_now.load(std::memory_order_relaxed);
    word_now.store(word(generation_of(w), gone), std::memory_order_release);
  }

  union {
    closure_fn fn;        // while armed or running
    node* returned_next;  // gone, on its block's return list
    node* free_next;      // gone, on its block's free list
  };
  alignas(std::uintptr_t) std::byte closure[closure_bytes];
};
static_assert(sizeof(node) == 48, "a registration writes no more than this");

// A registration in storage of the caller: see exit_node.
struct intrusive_node : exit_link {
  void (*fn)(void*) = nullptr;
  void* arg = nullptr;
  std::atomic<block*> on{nullptr};  // null: not attached
};

// What happened to registrations. One writer at a time: the referent, or who holds the lock.
struct tally {
  std::atomic<std::uint64_t> ran_by_call{0};
  std::atomic<std::uint64_t> detached{0};
  std::atomic<std::uint64_t> dropped{0};
  std::atomic<std::uint64_t> ran_at_process_exit{0};
};
// An increment by the only writer: a load and a store, no read-modify-write.
inline void bump(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

struct block {
  explicit block(domain& home_of_block) noexcept : home(&home_of_block) {}

  // --- What the referent writes, and refs read without the lock.
  std::atomic<std::uint64_t> live{0};  // the serial while running; 0 before, and from the drain on
  exit_chain last;                     // the exit list, newest first; what finalize() adds to
  node* free = nullptr;
  node* fresh = nullptr;  // the next slot of the current slab never handed out in this life
  node* fresh_end = nullptr;
  std::atomic<std::uint64_t> registered{0};
  bool ordered = false;        // generations come from one counter for all threads
  bool single_use = false;     // slots are used once: a native entry may still point there
  bool drops_slots = false;    // slots that come back are not used again in this life, for now
  bool draining_here = false;  // the referent's copy of `draining`
  bool refusing = false;       // nothing is registered any more in this life
  bool after_stage = false;    // the exit stage ran: registering arms it again first
  bool early_armed = false;
  bool early_is_over = false;
  bool staging = false;            // the exit stage runs
  bool in_destructors = false;     // stage 2 runs, to its end before stage 1 goes on
  std::uint32_t alternations = 0;  // from finalizers to destructors, in this exit
  int rounds = 0;                  // passes of the key stage so far
  std::uint64_t late_from = 0;     // `registered` when the drain began
  slab* current = nullptr;
  std::atomic<slab*> slabs{nullptr};  // the first stays with the block when its thread ends
  exit_chain early;
  exit_chain very_last;
  exit_chain destructors;  // of register_destructor(): oldest first
  exit_chain kept;         // those that the exit stage must not run
  std::atomic<std::uint64_t> ran_at_exit{0};
  std::atomic<std::uint64_t> abandoned{0};
  tally own;
  std::uint64_t refs_made = 0;

  // --- Shared with other threads.
  alignas(cache_line) std::mutex m;
  std::atomic<std::uint32_t> pins{0};     // the thread itself is one; at 0 the block is recycled
  std::atomic<std::uint32_t> waiters{0};  // changed under m, read by the referent without
  std::uint64_t serial = 0;               // under m: whose life this is; 0: nobody's
  bool draining = false;                  // under m: foreign claims are refused
  bool described = false;                 // under m: the name was read
  std::atomic<thread_state> state{thread_state::ended};  // changed under m
  std::atomic<bool> has_returned{false};
  node* returned = nullptr;                 // under m: slots that foreign winners are done with
  tally foreign;                            // under m
  std::atomic<std::uint64_t> forgotten{0};  // written when its thread exists no more
  pid_t tid = 0;
  char name[16] = {};
  std::condition_variable done;  // something is gone; waiters look again
  block* next_free = nullptr;    // under the domain's lock
  domain* const home;

  // The referent takes a slot: one that it used before, a fresh one, or from a new slab. Null: no
  // memory, or refusing. O(1); only every n-th call leaves this function.
  node* take_slot() noexcept {
    if (node* n = free) {
      free = n->free_next;
      return n;
    }
    if (fresh != fresh_end) return fresh++;
    return refill();
  }
  void give_slot(node& n) noexcept {
    if (drops_slots) return;
    n.free_next = free;
    free = &n;
  }
  // The generation of the next registration in the slot.
  [[nodiscard]] std::uint64_t next_generation(const exit_link& slot) const noexcept {
    if (ordered) [[unlikely]]
      return next_in_order();
    return exit_link::generation_of(slot.word_now.load(std::memory_order_relaxed)) + 1;
  }
  // Where a registration for the phase goes now.
  exit_chain& chain_for(exit_phase wanted) noexcept {
    if (wanted == exit_phase::very_last) return very_last;
    return wanted == exit_phase::early && !early_is_over ? early : last;
  }
  // May anything be registered? Arms the exit stage again if it has to.
  bool admits() noexcept { return !refusing && (!after_stage || arm_stage_again()); }
  [[nodiscard]] bool is_main() const noexcept;
  // Is the calling thread the referent? For hooks that a fork may leave to another thread.
  [[nodiscard]] bool is_of_this_thread() const noexcept;

  // The referent's own node ends here: gone, its slot free again, waiters told.
  void retire_own(node& n) noexcept {
    n.retire();
    give_slot(n);
    tell_waiters();
  }
  void tell_waiters() noexcept {
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
    lose_slots();
  }
  // The exit stage is over: the next registration arms it again.
  void end_stage() noexcept {
    after_stage = true;
    lose_slots();
  }
  // Nothing of this life will run any more. Drops the thread's own pin.
  void end_life() noexcept;
  void wake() noexcept;
  // Waits until holds() does; `lock` holds m. Looks again every millisecond by itself: the referent
  // may miss who came just now (see exit_list::wait). A cancellation point.
  template <class F>
  void wait_until(std::unique_lock<std::mutex>& lock, F holds) {
    struct counted {  // also when a cancellation unwinds this frame
      std::atomic<std::uint32_t>& waiters;
      explicit counted(std::atomic<std::uint32_t>& all) : waiters(all) {
        waiters.fetch_add(1, std::memory_order_relaxed);
      }
      ~counted() { waiters.fetch_sub(1, std::memory_order_relaxed); }
    } const here(waiters);
    while (!holds()) done.wait_for(lock, std::chrono::milliseconds(1));
  }
  // Calls f(node, word) for every node in the state. The block must be pinned; its thread may go on
  // registering meanwhile, and what it adds may be missed.
  template <class F>
  void visit(exit_link::state wanted, F&& f) {
    for (slab* s = slabs.load(std::memory_order_acquire); s != nullptr;
         s = s->next.load(std::memory_order_acquire)) {
      for (node& n : *s) {
        const std::uint64_t w = n.word_now.load(std::memory_order_acquire);
        if (exit_link::state_of(w) == wanted) f(n, w);
      }
    }
  }

  // For a thread that exists no more: what is pending is gone, uncalled, its closures not
  // destroyed.
  void forget_pending() noexcept { bump(forgotten, settle_pending()); }
  // Gives their number.
  std::uint64_t abandon_pending() noexcept {
    const std::uint64_t pending = settle_pending();
    bump(abandoned, pending);
    return pending;
  }
  // Has the thread gone without telling anybody? Under m.
  [[nodiscard]] bool is_lost() const noexcept;
  // A main thread that called pthread_exit stays as a zombie until the process ends, so its id
  // still answers to signals. Under m.
  [[nodiscard]] bool is_zombie() const noexcept;
  // Adds what happened to the registrations of all its lives.
  void add_counts(counters& to) const noexcept;

  // For a handle of this life. Under m. Reads the name the first time.
  void pin_described() noexcept;
  // Takes m; false when that life has ended.
  bool try_pin(std::uint64_t of) noexcept;
  void unpin() noexcept;

 private:
  void lose_slots() noexcept {
    drops_slots = true;
    free = fresh = fresh_end = nullptr;
  }
  node* refill() noexcept;
  std::uint64_t settle_pending() noexcept;
  void collect_returned() noexcept;
  bool arm_stage_again() noexcept;
  void read_name() noexcept;
};

}  // namespace detail
}  // namespace threadref
