// SPDX-License-Identifier: MIT
// The data of the exit list: a block per (thread, back end), a node per registration.
//
//   block            slab 0, full                next   slab 1, current
//   array_slabs -> [ r1 | r2 | gone | .. | r31 ] -----> [ r32 | gone | r34 |    |  ..  |    ]
//   array ----------------------------------------------^  ^                 ^              ^
//   array_begin -------------------------------------------+                 |              |
//   next_slot: where the next registration goes -----------------------------+              |
//   array_limit: the same as next_slot if registering must take the slow path ---------------+
//   last, early, very_last, destructors: chains of linked nodes, which are cut from linked_slabs;
//                                        `last` holds what the array could not take
//
// The newest registration is next_slot[-1], here r34. The drain goes left from there, and on to
// slab::older. A slot that is `gone` is a hole: its registration was removed (see exit_array.cpp).
//
// Blocks are type-stable: recycled, never freed. A handle that outlives its thread still points at
// a block, compares the serial, and answers "gone". It looks at its node only while the serial
// matches, and no node leaves a block during the life of a thread. That is the whole reclamation
// scheme: no registration pays for a reference count or a hazard pointer.
//
// "The referent" is the thread that a block belongs to.
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "threadref/config.hpp"
#include "threadref/detail/exit_link.hpp"
#include "threadref/detail/life_lock.hpp"
#include "threadref/detail/memory.hpp"
#include "threadref/detail/points.hpp"
#include "threadref/detail/word_lock.hpp"
#include "threadref/phase.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// running: its finalizers are pending. draining: its exit list has started to run, and all refs to
// it are expired. ended: nothing of this back end will run on it any more.
enum class thread_state : std::uint8_t { running, draining, ended };

struct counters;

namespace detail {

class domain;
struct block;

// Increments the counter that all threads share, and returns it: see options::global_order.
std::uint64_t next_in_order() noexcept;

// What happened to registrations. One writer at a time: the referent for block::own, the holder of
// the block's lock for block::foreign.
struct tally {
  std::atomic<std::uint64_t> ran_by_call{0};
  std::atomic<std::uint64_t> detached{0};
  std::atomic<std::uint64_t> dropped{0};
  std::atomic<std::uint64_t> ran_at_process_exit{0};
};
// Increments a counter that has one writer: a load and a store, no read-modify-write.
inline void increment(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

struct block {
  block(domain& home_of_block, std::atomic<bool>& in_use_there) noexcept
      : home(&home_of_block), in_use(in_use_there) {}

  // --- Written by the referent, without the lock. (For a thread that is gone, by the one that runs
  // or ends its list: the thread that ends the process, or the survivor of a fork.) Other threads
  // read only the atomics and `ordered`.
  std::atomic<std::uint64_t> live{0};  // the serial while running; 0 before, and from the drain on
  // The array: slabs whose slots are handed out in address order, so that the newest registration
  // is the last slot and no links are needed (see exit_array.cpp).
  std::atomic<node*> next_slot{nullptr};  // see array_end()
  node* array_limit = nullptr;            // where registering takes the slow path
  node* array_begin = nullptr;            // the first slot of the current slab
  std::atomic<std::uint64_t> word_base{node::one_generation};  // see word_at()
  static constexpr std::uint64_t is_moving = 1;                // a flag in word_base
  std::atomic<std::uint64_t> word_meanwhile{0};  // the next word, while the array's end moves
  exit_chain last;               // registrations of the phase `last` that are not in the array
  slab* array = nullptr;         // the current slab of array_slabs
  std::uint32_t array_room = 0;  // slots of the current slab and the older ones
  // How far the life has come is in `state`. Beside it, these say what the referent may do. They
  // are switches, not states of one kind, because they combine: an exit stage inside a finalizer
  // closes an array that is paused; a list that is cut off in a stage is `refusing` and, after it,
  // `after_stage` as well; one that had nothing to run in a stage is `after_stage`, and does not
  // drain yet. All are false when the life begins, except array_closed and ordered with
  // options::global_order, and array_closed on a direct back end.
  bool array_closed = false;   // the array takes no registration any more in this life
  bool array_paused = false;   // the drain walks the array, which takes none until admits()
  bool ordered = false;        // generations come from the counter that all threads share
  bool draining_here = false;  // the drain has begun: a copy of `draining`, read without the lock
  bool refusing = false;       // registering fails: a limit was exceeded, and the rest is abandoned
  bool after_stage = false;    // the exit stage has run here: registering must arm it again first
  bool early_is_over = false;  // no entry's turn would come: registrations of `early` go to `last`
  bool staging = false;        // the exit stage runs this list: atexit(false) is passed over
  bool in_destructors = false;     // stage 2 has begun; it is finished before stage 1 resumes
  std::uint32_t alternations = 0;  // how often this exit went from finalizers to destructors
  int rounds = 0;                  // rounds of the key's destructor so far
  std::uint64_t late_from = 0;     // registered() when the drain began
  // Array slots that the referent emptied, less all empty ones that the array's end has passed
  // since. With foreign_holes added: the holes in the array.
  std::int64_t holes = 0;
  linked_node* free = nullptr;               // linked nodes to reuse
  linked_node* unused_linked = nullptr;      // the first node of linked_slab not used in this life
  linked_node* unused_linked_end = nullptr;  // the end of linked_slab's nodes
  slab* linked_slab = nullptr;               // the current slab of linked_slabs
  std::atomic<slab*> array_slabs{nullptr};   // the first stays with the block when its thread ends
  std::atomic<slab*> linked_slabs{nullptr};  // the first stays if the block has no array slab
  exit_chain early;
  exit_chain very_last;
  exit_chain destructors;                      // of register_destructor(); these run oldest first
  exit_chain deferred;                         // by the exit stage: finalizer::atexit(false)
  std::atomic<std::uint64_t> turns{0};         // registrations in the order of all threads
  std::atomic<std::uint64_t> unregistered{0};  // registrations counted but undone, after an error
  std::atomic<std::uint64_t> ran_at_exit{0};
  std::atomic<std::uint64_t> abandoned{0};
  tally own;  // what the referent did
  std::uint64_t refs_made = 0;

  // --- Shared with other threads.
  alignas(cache_line) word_lock m;
  std::atomic<std::uint32_t> pins{0};     // one is the thread's own; at 0 the block is recycled
  std::atomic<std::uint32_t> waiters{0};  // increased under m; the referent reads it without
  std::uint64_t serial = 0;               // under m: which life this is; 0: between two lives
  std::uint64_t first_generation = 0;     // under m: of this life
  // Under m: claims by other threads are refused. Set by the referent when its drain begins, or by
  // the thread that finds it gone.
  bool draining = false;
  std::atomic<thread_state> state{thread_state::ended};  // changed under m
  std::atomic<std::int64_t> foreign_holes{0};  // under m: array slots that other threads emptied
  // Linked nodes that other threads are done with. Written under m; the referent reads it without.
  std::atomic<linked_node*> returned{nullptr};
  tally foreign;  // under m: what other threads did
  // Under m: ref callbacks that foreign.ran_at_process_exit counts although they were dropped.
  std::atomic<std::uint64_t> dropped_at_process_exit{0};
  // Under m: the node that another thread claims or claimed last, and the counter of `foreign` that
  // this increases, to which value. The claim and the increment are two stores, and in the child of
  // a fork that thread may be gone between them.
  std::atomic<node*> claimed{nullptr};
  std::atomic<std::atomic<std::uint64_t>*> claims{nullptr};
  std::atomic<std::uint64_t> claims_then{0};
  std::atomic<std::uint64_t> forgotten{0};  // written in the child of a fork, for a vanished thread
  pid_t tid = 0;                            // written under m; the referent reads it without
  char name[16] = {};                       // under m: see refresh_name()
  life_lock life;                           // held by the referent from begin_life() to end_life()
  std::size_t lent_by = no_shard;  // the CPU whose warm slabs it has: see domain::recycle()
  static constexpr std::size_t no_shard = ~std::size_t{0};
  event_count done;            // notified when a node is gone: waiters look again
  block* next_free = nullptr;  // under the lock of a shard of the domain
  domain* const home;
  std::atomic<bool>& in_use;  // not in a free list; changed under the lock of that
  // The process, in its line of forks, for which `done` and `waiters` are valid.
  std::uint32_t process = word_lock::process_number();
  bool has_vanished = false;  // in the child of a fork, until the life is ended there

  // The array's end: the slot that the next registration gets.
  [[nodiscard]] node* array_end() const noexcept {
    return next_slot.load(std::memory_order_relaxed);
  }
  // Advancing it is all that counts a registration: the next registration's word differs from the
  // slot's number by word_base. Code that moves the end for any other reason changes word_base, so
  // that the next word stays what it was. (Both are plain numbers: they wrap around, and not every
  // number has a slot.)
  static constexpr unsigned slot_shift = node::generation_shift - 5;
  static_assert(sizeof(node) == 1U << 5U && sizeof(slab) % sizeof(node) == 0);
  static std::uint64_t number_of(const node* slot) noexcept {
    return reinterpret_cast<std::uintptr_t>(slot) << slot_shift;
  }
  [[nodiscard]] std::uint64_t word_at(const node* slot) const noexcept {
    return word_base.load(std::memory_order_relaxed) + number_of(slot);
  }
  void move_array_end(node* to) noexcept { move_array_end(to, word_at(array_end())); }
  void move_array_end(node* to, std::uint64_t next) noexcept {
    const std::uint64_t base = next - number_of(to);
    // For registered() on other threads: the two match again after the last store.
    word_meanwhile.store(next, std::memory_order_relaxed);
    word_base.store(base | is_moving, std::memory_order_release);
    next_slot.store(to, std::memory_order_release);
    word_base.store(base, std::memory_order_release);
  }
  // Gives `slot`, which is array_end(), to the next registration. Returns the word of that, without
  // state and flags.
  // Release: a thread that counts and sees this slot also sees the base that it belongs to.
  std::uint64_t take_slot(node* slot) noexcept {
    next_slot.store(slot + 1, std::memory_order_release);
    return word_at(slot);
  }
  // The word of a registration that is not in the array.
  std::uint64_t next_word() noexcept {
    const std::uint64_t w = word_at(array_end());
    word_base.store(word_base.load(std::memory_order_relaxed) + node::one_generation,
                    std::memory_order_release);
    return w;
  }
  // Call it before next_word(): if options::global_order is set, makes the next word come from the
  // counter that all threads share.
  void take_turn() noexcept;
  // The number of registrations in all lives of the block. Any thread.
  [[nodiscard]] std::uint64_t registered() const noexcept;
  // Makes room at array_end() for a registration of the phase `last`. False if it must go to the
  // chain.
  bool extend_array() noexcept;
  // Returns the newest pending registration in the array, and leaves it there; null if there is
  // none. Passes over what another thread still runs, and what the exit stage must not run.
  node* newest_in_array() noexcept;
  [[nodiscard]] bool array_is_empty() const noexcept {
    return array_end() == array_begin && (array == nullptr || array->older == nullptr);
  }
  // Moves the array's end back up, so that newest_in_array() sees again what it passed over.
  void rewind_array() noexcept;
  void close_array() noexcept {
    array_closed = true;
    array_limit = array_end();
  }
  // The newest slot of the array has become free.
  void pop_newest(node& n) noexcept {
    move_array_end(&n);
    if (array_closed) [[unlikely]]
      array_limit = &n;
  }
  // For the drain, which does not move the array's end for each finalizer. Returns that end. The
  // array takes no registration from here until admits() or leave_behind().
  node* pause_array() noexcept {
    array_paused = true;
    return array_limit = array_end();
  }
  // The registrations from `top` to `end` are gone; the array ended at `end` when it was paused. If
  // it takes registrations again since, those slots count as holes: they lie below a newer
  // registration, or were already reused for one.
  void leave_behind(const node* end, node* top) noexcept {
    if (array_paused && array_end() == end) {  // else an exit stage inside a finalizer has moved it
      move_array_end(top);
    } else {
      holes += end - top;
    }
    resume_array();
  }
  // If the current slab is empty, makes the slab before it, which is full, the current one. False
  // if the current one is not empty, or is the first.
  bool pop_slab() noexcept;
  // A node for a chain; null without memory.
  linked_node* take_linked() noexcept;
  void give_linked(linked_node& n) noexcept {
    if (n.has(node::has_entry)) return;
    n.next_free = free;
    free = &n;
  }
  // The chain to which a registration of the phase goes now.
  exit_chain& chain_for(exit_phase wanted) noexcept {
    if (wanted == exit_phase::very_last) return very_last;
    return wanted == exit_phase::early && !early_is_over ? early : last;
  }
  // Whether anything may be registered. The slow path asks this first. Resumes a paused array, and
  // arms the exit stage again if that is over.
  bool admits() noexcept {
    if (array_paused) resume_array();
    return !refusing && (!after_stage || arm_stage_again());
  }
  [[nodiscard]] bool is_main() const noexcept;

  // The referent is done with its own node: it is gone, its slot is free, waiters are notified.
  void retire_own(node& n) noexcept {
    const bool linked = n.has(node::is_linked);
    n.retire();
    if (linked) {
      give_linked(static_cast<linked_node&>(n));
    } else if (array_end() == &n + 1) {
      pop_newest(n);
      if (holes > 0) trim_tail();
    } else {
      ++holes;
    }
    notify_waiters();
  }
  void notify_waiters() noexcept {
    if (waiters.load(std::memory_order_relaxed) != 0) wake();
  }
  // Another thread is done with a node that it claimed: a linked node goes back to the referent by
  // the return list, an array slot becomes a hole. Under m.
  void retire_foreign(node& n) noexcept;

  void begin_life(std::uint64_t new_serial) noexcept;
  // Idempotent. From here on only the referent may claim its finalizers, and refs to it are
  // expired.
  void begin_drain() noexcept;
  // From here on registering fails in this life. (It closes the array because registrations there
  // do not ask while it has room.)
  void refuse() noexcept {
    refusing = true;
    close_array();
  }
  // The exit stage is over: the next registration must arm it again.
  void end_stage() noexcept {
    after_stage = early_is_over = true;
    close_array();
  }
  // Nothing of this life will run any more. Drops the thread's own pin. On the referent.
  void end_life() noexcept {
    life.release();
    bury();
  }
  // As end_life(), for a referent that does not exist any more.
  void bury() noexcept;
  void wake() noexcept;
  // Waits until holds() is true; `lock` holds m. Looks again every millisecond, because the
  // referent may miss a waiter that has only just come (see exit_list::wait). A cancellation point.
  template <class F>
  void wait_until(unique_lock& lock, F holds) {
    struct counted {  // so that a cancellation that unwinds this frame is counted too
      std::atomic<std::uint32_t>& waiters;
      explicit counted(std::atomic<std::uint32_t>& all) : waiters(all) {
        waiters.fetch_add(1, std::memory_order_relaxed);
      }
      ~counted() { waiters.fetch_sub(1, std::memory_order_relaxed); }
    } const here(waiters);
    while (!holds()) done.wait(lock);
  }
  // Calls f(node, word) for every node in the state `wanted`. The block must be pinned. Its thread
  // may go on registering meanwhile; what it adds may be missed.
  template <class F>
  void visit(node::state wanted, F&& f) {
    visit_all([wanted, &f](node& n, std::uint64_t w) {
      if (node::state_of(w) == wanted) f(n, w);
    });
  }
  template <class F>
  void visit_all(F&& f) {
    for (const auto* first : {&array_slabs, &linked_slabs}) {
      for (slab* s = first->load(std::memory_order_acquire); s != nullptr;
           s = s->next.load(std::memory_order_acquire)) {
        for (std::size_t i = 0; i != s->capacity; ++i) {
          node& n = s->at(i);
          f(n, n.word_now.load(std::memory_order_acquire));
        }
      }
    }
  }

  // Another thread is about to claim `n`, which is armed, or which it inspects: says so first, and
  // counts it then. Under m.
  void announce_claim(node& n, std::atomic<std::uint64_t>& counter) noexcept {
    claimed.store(&n, std::memory_order_relaxed);
    claims.store(&counter, std::memory_order_release);
    claims_then.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  void count_claim() noexcept {
    claims.load(std::memory_order_relaxed)
        ->store(claims_then.load(std::memory_order_relaxed), std::memory_order_release);
  }

  // In the child of a fork, whose only thread is the survivor. What vanished threads were running
  // is gone, including what they ran for the survivor; its closure is not destroyed. What they only
  // looked at is armed.
  // For the survivor's block. Other threads may have vanished anywhere in a claim of its
  // finalizers.
  void survive_fork() noexcept;
  // For any other block with a life.
  void vanish() noexcept;
  // For a thread that no longer exists: marks what is pending as gone, uncalled, and what it was
  // running. Closures are not destroyed.
  void forget_pending() noexcept { increment(forgotten, settle_pending()); }
  // As forget_pending(), but counts them as abandoned, and returns their number.
  std::uint64_t abandon_pending() noexcept {
    const std::uint64_t pending = settle_pending();
    increment(abandoned, pending);
    return pending;
  }
  // Whether an exit_node that was attached to this block belongs to this life, whose thread exists.
  // Under m.
  [[nodiscard]] bool holds(const intrusive_node& n) const noexcept;
  // Whether the thread has ended although its exit hook has not run, and nobody has ended its life
  // since. Not for main, whose list is left to the exit stage. Under m.
  [[nodiscard]] bool is_lost() const noexcept {
    return life.owner_died() && state.load(std::memory_order_relaxed) != thread_state::ended &&
           !is_main();
  }
  // Whether the life `of` goes on: its drain has not begun, and its thread exists. Any thread,
  // without m.
  [[nodiscard]] bool is_running(std::uint64_t of) const noexcept {
    // The lock first: if the block has changed hands by then, `live` shows that.
    const bool died = life.owner_died();
    return live.load(std::memory_order_acquire) == of && !died;
  }
  // Whether other threads may claim what is pending in the life `of`. Under m.
  [[nodiscard]] bool is_open_to_others(std::uint64_t of) const noexcept {
    return serial == of && !draining && !is_lost();
  }
  // Adds the counts of all lives of the block.
  void add_counts(counters& to) const noexcept;

  // Remove and return the slabs that an ended thread leaves to the pool; null if there are none. Of
  // the array, those from a size class on; of the chains, all, except for one if the block has no
  // array slab.
  slab* spare_slabs(std::uint32_t from_class) noexcept;
  slab* spare_linked_slabs() noexcept;
  // Whether it has more array slabs than one. Only while no thread owns the block and no other
  // thread may remove its slabs.
  [[nodiscard]] bool is_warm() const noexcept {
    const slab* const first = array_slabs.load(std::memory_order_relaxed);
    return first != nullptr && first->next.load(std::memory_order_relaxed) != nullptr;
  }

  // Pins the block for a handle to this life. On the referent, or under m, or for a holder of a
  // pin.
  void pin() noexcept { pins.fetch_add(1, std::memory_order_relaxed); }
  // As pin(), for any thread. False if the life `of` has ended.
  bool try_pin(std::uint64_t of) noexcept;
  void unpin() noexcept;

  // Reads the thread's name from the system. That of a thread that has ended stays what it was when
  // this was last called. Needs a pin. Not a cancellation point.
  void refresh_name() noexcept;

 private:
  // In the child of a fork: nobody waits.
  void renew_waiting() noexcept;
  [[nodiscard]] std::uint64_t newest_generation() const noexcept;
  void trim_tail() noexcept;
  void resume_array() noexcept;
  linked_node* refill_linked() noexcept;
  std::uint64_t settle_pending() noexcept;
  void collect_returned() noexcept;
  bool arm_stage_again() noexcept;
  // From here on every handle to that life answers "gone" without looking at a node. Under m.
  void forget_life() noexcept;
};

}  // namespace detail
}  // namespace threadref::inline THREADREF_ABI
