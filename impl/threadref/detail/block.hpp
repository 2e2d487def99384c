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
#include <cstddef>
#include <cstdint>

#include "threadref/config.hpp"
#include "threadref/detail/exit_link.hpp"
#include "threadref/detail/memory.hpp"
#include "threadref/detail/points.hpp"
#include "threadref/detail/word_lock.hpp"
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
  // The array: slabs whose slots are handed out in the order of their addresses, so that the newest
  // registration is the last slot and no links are needed (see exit_array.cpp).
  std::atomic<node*> next_slot{nullptr};  // fresh()
  node* fresh_end = nullptr;              // fresh(): whoever registers has to ask for a place
  node* array_begin = nullptr;            // of the current slab
  std::atomic<std::uint64_t> word_base{node::one_generation};  // see word_at()
  static constexpr std::uint64_t is_moving = 1;                // of it
  std::atomic<std::uint64_t> word_meanwhile{0};                // the next one, while the end moves
  exit_chain last;               // what finalize() adds to when it is not the array
  slab* array = nullptr;         // the current one of array_slabs
  std::uint32_t array_room = 0;  // slots of it and of the older ones
  bool array_closed = false;     // nothing more goes there in this life
  bool array_paused = false;     // nothing goes there until somebody asks for a place
  bool ordered = false;          // generations come from one counter for all threads
  bool single_use = false;       // slots are used once: a native entry may still point there
  bool draining_here = false;    // the referent's copy of `draining`
  bool refusing = false;         // nothing is registered any more in this life
  bool after_stage = false;      // the exit stage ran: registering arms it again first
  bool early_armed = false;
  bool early_is_over = false;
  bool staging = false;            // the exit stage runs
  bool in_destructors = false;     // stage 2 runs, to its end before stage 1 goes on
  std::uint32_t alternations = 0;  // from finalizers to destructors, in this exit
  int rounds = 0;                  // passes of the key stage so far
  std::uint64_t late_from = 0;     // registered() when the drain began
  std::int64_t holes = 0;          // slots in the array whose registration went, less those passed
  linked_node* free = nullptr;
  linked_node* fresh_linked = nullptr;  // the next of linked_slab never handed out in this life
  linked_node* fresh_linked_end = nullptr;
  slab* linked_slab = nullptr;
  std::atomic<slab*> array_slabs{nullptr};   // the first stays with the block when its thread ends
  std::atomic<slab*> linked_slabs{nullptr};  // the same, if there is no other
  exit_chain early;
  exit_chain very_last;
  exit_chain destructors;                      // of register_destructor(): oldest first
  exit_chain kept;                             // those that the exit stage must not run
  std::atomic<std::uint64_t> turns{0};         // taken, in the order of all threads
  std::atomic<std::uint64_t> unregistered{0};  // counted, and then came to nothing
  std::atomic<std::uint64_t> ran_at_exit{0};
  std::atomic<std::uint64_t> abandoned{0};
  tally own;
  std::uint64_t refs_made = 0;

  // --- Shared with other threads.
  alignas(cache_line) word_lock m;
  std::atomic<std::uint32_t> pins{0};     // the thread itself is one; at 0 the block is recycled
  std::atomic<std::uint32_t> waiters{0};  // added to under m, read by the referent without
  std::uint64_t serial = 0;               // under m: whose life this is; 0: nobody's
  bool draining = false;                  // under m: foreign claims are refused
  bool described = false;                 // under m: the name was read
  std::atomic<thread_state> state{thread_state::ended};  // changed under m
  std::atomic<bool> has_returned{false};
  std::atomic<std::int64_t> foreign_holes{0};  // under m: what others took out of the array
  linked_node* returned = nullptr;             // under m: slots that foreign winners are done with
  tally foreign;                               // under m
  std::atomic<std::uint64_t> forgotten{0};     // written when its thread exists no more
  pid_t tid = 0;
  char name[16] = {};
  std::size_t lent_by = no_shard;  // the CPU whose warm slabs it has: see domain::recycle()
  static constexpr std::size_t no_shard = ~std::size_t{0};
  bell done;                   // something is gone; waiters look again
  block* next_free = nullptr;  // under the domain's lock
  domain* const home;

  // The array's end: the slot that comes next there.
  [[nodiscard]] node* fresh() const noexcept { return next_slot.load(std::memory_order_relaxed); }
  // Where the next registration moves it to is the only thing that counts registrations: the next
  // one's word is a constant away from the slot, and whoever moves the end otherwise changes that
  // constant, so that the word stays what it was. (Numbers: they wrap around, and no slot is there
  // for each.)
  static constexpr unsigned slot_shift = node::generation_shift - 5;
  static_assert(sizeof(node) == 1U << 5U && sizeof(slab) % sizeof(node) == 0);
  static std::uint64_t number_of(const node* slot) noexcept {
    return reinterpret_cast<std::uintptr_t>(slot) << slot_shift;
  }
  [[nodiscard]] std::uint64_t word_at(const node* slot) const noexcept {
    return word_base.load(std::memory_order_relaxed) + number_of(slot);
  }
  void move_fresh(node* to) noexcept { move_fresh(to, word_at(fresh())); }
  void move_fresh(node* to, std::uint64_t next) noexcept {
    const std::uint64_t base = next - number_of(to);
    // For registered(), on other threads: the two belong together again at the last store.
    word_meanwhile.store(next, std::memory_order_relaxed);
    word_base.store(base | is_moving, std::memory_order_release);
    next_slot.store(to, std::memory_order_release);
    word_base.store(base, std::memory_order_release);
  }
  // The word of a registration in the array, without state and flags: `slot` is fresh().
  // Release: who counts and sees this slot sees the base that it belongs to.
  std::uint64_t take_slot(node* slot) noexcept {
    next_slot.store(slot + 1, std::memory_order_release);
    return word_at(slot);
  }
  // Of one elsewhere. Never on a thread whose order is that of all threads: see take_turn().
  std::uint64_t next_word() noexcept {
    const std::uint64_t w = word_at(fresh());
    word_base.store(word_base.load(std::memory_order_relaxed) + node::one_generation,
                    std::memory_order_release);
    return w;
  }
  // Before next_word(), where order may matter beyond this thread.
  void take_turn() noexcept;
  // How many registrations there have been, in all lives of the block. Any thread.
  [[nodiscard]] std::uint64_t registered() const noexcept;
  // Makes room for a registration of the phase `last`, at fresh(); false: it has to go to the
  // chain.
  bool extend_array() noexcept;
  // The newest pending registration in the array, which stays there; null: none. What somebody else
  // still runs is passed over, and so is what the exit stage must not run.
  node* newest_in_array() noexcept;
  [[nodiscard]] bool array_is_empty() const noexcept {
    return fresh() == array_begin && (array == nullptr || array->older == nullptr);
  }
  // What newest_in_array() passed over is before it again.
  void rewind_array() noexcept;
  void close_array() noexcept {
    array_closed = true;
    fresh_end = fresh();
  }
  // The newest slot of the array is gone.
  void pop_newest(node& n) noexcept {
    move_fresh(&n);
    if (array_closed) [[unlikely]]
      fresh_end = &n;
  }
  // For the drain, which does not move the array's end for each: gives that end. From here on
  // nothing goes to the array, until admits() or leave_behind().
  node* pause_array() noexcept {
    array_paused = true;
    return fresh_end = fresh();
  }
  // What lay from `top` to `end` is gone, and the array ended there when it was paused. If
  // something came since, that is holes: below it, or already taken for its slots.
  void leave_behind(const node* end, node* top) noexcept {
    if (array_paused && fresh() == end) {  // else an exit stage has moved it, in a finalizer
      move_fresh(top);
    } else {
      holes += end - top;
    }
    resume_array();
  }
  // The current slab has nothing left, and the one before, which is full, becomes the current one.
  // False: it has, or there is none.
  bool leave_slab() noexcept;
  // A slot for a chain. Null: no memory.
  linked_node* take_linked() noexcept;
  void give_linked(linked_node& n) noexcept {
    if (single_use) return;
    n.next_free = free;
    free = &n;
  }
  // Where a registration for the phase goes now.
  exit_chain& chain_for(exit_phase wanted) noexcept {
    if (wanted == exit_phase::very_last) return very_last;
    return wanted == exit_phase::early && !early_is_over ? early : last;
  }
  // May anything be registered? Asked by who needs a place. Arms the exit stage again if it has to.
  bool admits() noexcept {
    if (array_paused) resume_array();
    return !refusing && (!after_stage || arm_stage_again());
  }
  [[nodiscard]] bool is_main() const noexcept;
  // Is the calling thread the referent? For hooks that a fork may leave to another thread.
  [[nodiscard]] bool is_of_this_thread() const noexcept;

  // The referent's own node ends here: gone, its slot free again, waiters told.
  void retire_own(node& n) noexcept {
    const bool linked = n.has(node::is_linked);
    n.retire();
    if (linked) {
      give_linked(static_cast<linked_node&>(n));
    } else if (fresh() == &n + 1) {
      pop_newest(n);
      if (holes > 0) recede();
    } else {
      ++holes;
    }
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
  // From here on nothing is registered in this life. (Where the array has room, nobody asks.)
  void refuse() noexcept {
    refusing = true;
    close_array();
  }
  // The exit stage is over: the next registration arms it again.
  void end_stage() noexcept {
    after_stage = true;
    close_array();
  }
  // Nothing of this life will run any more. Drops the thread's own pin.
  void end_life() noexcept;
  void wake() noexcept;
  // Waits until holds() does; `lock` holds m. Looks again every millisecond by itself: the referent
  // may miss who came just now (see exit_list::wait). A cancellation point.
  template <class F>
  void wait_until(unique_lock& lock, F holds) {
    struct counted {  // also when a cancellation unwinds this frame
      std::atomic<std::uint32_t>& waiters;
      explicit counted(std::atomic<std::uint32_t>& all) : waiters(all) {
        waiters.fetch_add(1, std::memory_order_relaxed);
      }
      ~counted() { waiters.fetch_sub(1, std::memory_order_relaxed); }
    } const here(waiters);
    while (!holds()) done.sleep(lock);
  }
  // Calls f(node, word) for every node in the state. The block must be pinned; its thread may go on
  // registering meanwhile, and what it adds may be missed.
  template <class F>
  void visit(node::state wanted, F&& f) {
    for (const auto* first : {&array_slabs, &linked_slabs}) {
      for (slab* s = first->load(std::memory_order_acquire); s != nullptr;
           s = s->next.load(std::memory_order_acquire)) {
        for (std::size_t i = 0; i != s->capacity; ++i) {
          node& n = s->at(i);
          const std::uint64_t w = n.word_now.load(std::memory_order_acquire);
          if (node::state_of(w) == wanted) f(n, w);
        }
      }
    }
  }

  // In the child of a fork, on the survivor: what vanished threads ran is gone, also what they ran
  // for the survivor. Its closures are not destroyed.
  void forget_runs(bool of_survivor) noexcept;
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

  // Takes the slabs that a thread that has ended leaves to all: those of the array from a class on,
  // and those of the chains but one, if it is the only one left. Null: none.
  slab* spare_slabs(std::uint32_t from_class) noexcept;
  slab* spare_linked_slabs() noexcept;
  // Has it more than its first slab? While no thread has it, and nobody else may take its slabs.
  [[nodiscard]] bool is_warm() const noexcept {
    const slab* const first = array_slabs.load(std::memory_order_relaxed);
    return first != nullptr && first->next.load(std::memory_order_relaxed) != nullptr;
  }

  // For a handle of this life. Under m. Reads the name the first time.
  void pin_described() noexcept;
  // Takes m; false when that life has ended.
  bool try_pin(std::uint64_t of) noexcept;
  void unpin() noexcept;

 private:
  [[nodiscard]] std::uint64_t newest_generation() const noexcept;
  void recede() noexcept;
  void resume_array() noexcept;
  linked_node* refill_linked() noexcept;
  std::uint64_t settle_pending() noexcept;
  void collect_returned() noexcept;
  bool arm_stage_again() noexcept;
  void read_name() noexcept;
  // Under m: from here on every handle of that life answers "gone" without touching a node.
  void forget_life() noexcept;
};

}  // namespace detail
}  // namespace threadref
