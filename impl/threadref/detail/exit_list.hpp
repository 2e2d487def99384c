// SPDX-License-Identifier: MIT
// The core that all back ends share: a thread's finalizers, newest first, and who may claim one. A
// back end only says how a thread's block is found and how the thread learns of its exit.
#pragma once

#include <cxxabi.h>
#include <pthread.h>

#include <concepts>
#include <cstdint>
#include <new>
#include <system_error>
#include <type_traits>
#include <utility>

#include "threadref/config.hpp"
#include "threadref/detail/block.hpp"
#include "threadref/detail/claim.hpp"
#include "threadref/detail/closure.hpp"
#include "threadref/detail/code_range.hpp"
#include "threadref/detail/domain.hpp"
#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/kept_object.hpp"
#include "threadref/detail/registration.hpp"
#include "threadref/phase.hpp"
#include "threadref/unraisable.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI::detail {

// Where a registration goes: to one of the phases of stage 1, or to stage 2.
enum class exit_place : std::uint8_t { early, last, very_last, destructors };
constexpr exit_place place_of(exit_phase p) noexcept {
  return static_cast<exit_place>(p);
}

// The threads whose finalizers the exit stage runs in one order.
enum class batch_of : std::uint8_t { other_threads, all_threads };
class newest_batch;

// A hook that also registers each finalizer with the system (see backend.hpp).
template <class Hook>
concept direct_hook = requires(node& n) {
  { Hook::arm_one(n) }
  noexcept->std::same_as<std::errc>;
};

template <class Hook, class Claim>
class exit_list {
 public:
  // This thread's block, even after the hook's own storage is gone. Null if the thread was never
  // registered or has ended.
  THREADREF_READS_TLS static block* own() noexcept { return mark_.own; }
  // Whether `b`, which the system had stored for this thread, is this thread's. A thread that ends
  // without the C library leaves what was stored for it to the next thread on its stack. If `b` is
  // that of such a thread, and nobody has ended its life yet, ends it.
  static bool owns(block& b) noexcept {
    if (&b == own()) return true;
    domain_.end_if_missed(b);
    return false;
  }
  // As own(), but registers the thread if it is new. O(1); a lock only the first time.
  static attached attach() noexcept {
    block* b = Hook::find();
    if (b != nullptr) [[likely]]
      return {b, std::errc{}};
    return attach_slow();
  }
  THREADREF_READS_TLS static bool ended() noexcept { return mark_.ended; }
  // Prepares the process for the back end: fork handlers and the exit stage. For the back end's
  // static initialiser. O(1).
  static bool install() noexcept;

  // Registers Stored(a...) on the calling thread. After an error nothing has changed. What the
  // constructor throws propagates. After a thread's first: no lock, no read-modify-write, and no
  // allocation but a callable's box, and a slab every few dozen to few thousand calls.
  //
  // A callable whose constructor could itself register something, or whose box calls malloc, is
  // made before it gets its slot. So what an allocator registers meanwhile is older, and outlives
  // the box. What a callable registers while it is moved into its slot is newer: see publish().
  //
  // Forced inline, like its callers: out of line, the callable is copied through memory in pieces
  // and read back whole, which defeats store forwarding (8.4 ns instead of 2.9).
  template <class R, class Stored, class... A>
  [[gnu::always_inline]] static added add(exit_place place, A&&... a) {
    require_kept_object();
    const auto [b, error] = attach();
    if (b == nullptr) return {{}, error};
    using storage = closure_storage<Stored>;
    if constexpr (!fits_inline<Stored>) {
      boxed<Stored> box(std::in_place, std::forward<A>(a)...);
      return enter<R, Stored>(*b, place,
                              [&](void* to) noexcept { storage::box(to, box.release()); });
    } else if constexpr (is_plain_closure<Stored> &&
                         std::is_trivially_constructible_v<Stored, A...>) {
      return enter<R, Stored>(
          *b, place, [&](void* to) noexcept { storage::create(to, std::forward<A>(a)...); });
    } else {
      Stored made(std::forward<A>(a)...);
      return enter<R, Stored>(*b, place,
                              [&](void* to) noexcept { storage::create(to, std::move(made)); });
    }
  }

  // Registers a node that the caller provides. After an error nothing has changed. O(1); no
  // allocation and no lock once the thread is registered.
  static std::errc add_node(intrusive_node& n, void (*fn)(void*), void* arg,
                            exit_phase phase) noexcept;
  // Removes it. operation_not_permitted: it is another thread's; invalid_argument: not attached.
  static std::errc remove_node(intrusive_node& n) noexcept;
  // Removes a node that is attached and about to be destroyed. If it is a thread_local, its thread
  // is exiting, and it is reported. On another thread it ends the process.
  static void end_node(intrusive_node& n) noexcept;

  // These take the registration by value on purpose: the function that is run or destroyed may own
  // the handle through which the call was made.

  // Runs it now, on the calling thread; false if it is unavailable. Exceptions propagate.
  static bool call(const registration r, void* result) {
    if (own_claim mine{r}) {
      increment(mine.on().own.ran_by_call);
      return r.at->fn(r.at->closure, closure_op::run, result);
    }
    if (foreign_claim theirs{r, &tally::ran_by_call}) {
      theirs.unlock();
      const foreign_run frame(r);
      return r.at->fn(r.at->closure, closure_op::run, result);
    }
    return false;
  }

  // Removes it, moves its closure to `into` and pins the block for the caller; false if it is
  // unavailable.
  static bool detach(const registration r, detached_closure& into) noexcept {
    if (own_claim mine{r}) {
      increment(mine.on().own.detached);
      r.on->pin();
      into.take_from(r.at->fn, r.at->closure);
      return true;
    }
    if (foreign_claim theirs{r, &tally::detached}) {
      r.on->pin();
      move_closure(theirs, into);
      return true;
    }
    return false;
  }
  // Removes it and destroys the closure on the calling thread; false if it is unavailable. Counted
  // in `count`: a ref's callback counts as dropped.
  static bool cancel(const registration r,
                     std::atomic<std::uint64_t> tally::*count = &tally::detached) noexcept {
    if (own_claim mine{r}) {
      increment(mine.on().own.*count);
      if (!r.at->has(node::is_plain)) r.at->fn(r.at->closure, closure_op::destroy, nullptr);
      return true;
    }
    detached_closure condemned;
    if (foreign_claim theirs{r, count}) {
      move_closure(theirs, condemned);
      return true;
    }
    return false;
  }

  static node::state state(const registration& r) noexcept {
    if (r.on == nullptr) return node::gone;
    if (r.on == own()) return r.on->serial == r.serial ? r.at->seen_by(r.generation) : node::gone;
    const lock_guard lock(r.on->m);
    if (r.on->serial != r.serial) return node::gone;
    // A thread that has ended runs nothing. What another thread runs goes on.
    if (r.on->is_lost() && !r.at->has(node::is_elsewhere)) return node::gone;
    return r.at->seen_by(r.generation);
  }
  // Whether the calling thread could claim it. If so, the block is pinned for the caller.
  static bool peek(const registration& r) noexcept;
  // The flag of finalizer::atexit(). False also if it is running or gone.
  static bool runs_at_process_exit(const registration& r) noexcept;
  static void set_process_exit(const registration& r, bool wanted) noexcept;
  // Returns when it is gone; an error if the caller would wait for itself. A cancellation point.
  static std::errc wait(const registration& r);

  // Stage 2: removes all entries of the calling thread for which wanted(closure) is true, and
  // returns whether there were any. O(entries).
  template <class F>
  static bool remove_destructors(F&& wanted) noexcept {
    block* b = own();
    if (b == nullptr) return false;
    exit_chain removed;
    {
      // An entry that detach_all() destroyed on another thread is still in the chain, without a
      // closure.
      const lock_guard others_take_none(b->m);
      b->destructors.visit([&](linked_node& n) {
        const std::uint64_t w = n.word_now.load(std::memory_order_relaxed);
        if (node::state_of(w) != node::armed || !wanted(n.closure)) return;
        if (!Claim::by_other(n, node::generation_of(w), node::running)) return;
        exit_chain::remove(n);
        removed.push(n);
      });
    }
    const bool any = !removed.empty();
    while (linked_node* n = removed.pop_oldest()) {
      increment(b->own.detached);
      b->retire_own(*n);
    }
    return any;
  }

  // Destroys every pending finalizer of any thread whose code or state points into `code`, waits
  // for what is running, and returns the number destroyed. Then `code` may be unloaded, unless
  // `caller` is part of it. See unload.hpp.
  static std::size_t detach_all(const code_range& code, const void* caller) noexcept;

  // --- Called by hooks, on the exiting thread.
  // Runs what is pending up to the phase `upto`, and what is registered meanwhile. Left by a forced
  // unwind if a finalizer calls pthread_exit, so the hook must have armed itself again before; then
  // the rest still runs.
  THREADREF_CATCHES_UNWINDING static void exit_pass(block& b, exit_phase upto);
  // Runs one finalizer of the phase last, called by its own entry with the system: see direct_hook.
  static void exit_one(node& n);
  // No further pass will come: registering on this thread fails from now on.
  static void end(block& b) noexcept {
    mark_ = {nullptr, true};
    Hook::forget();
    b.end_life();
  }

  static domain& all() noexcept { return domain_; }
  static constinit process_key key;  // for exit_key

 private:
  // A claim by the referent. At the end of its scope the node is gone and its slot free.
  class own_claim {
   public:
    explicit own_claim(const registration& r) noexcept {
      if (r.on == nullptr || r.on != own() || r.on->serial != r.serial) return;
      if (!Claim::by_owner(*r.on, *r.at, r.generation)) return;
      r_ = &r;
      leave_chain(*r.at);
    }
    ~own_claim() {
      if (r_ != nullptr) r_->on->retire_own(*r_->at);
    }
    own_claim(const own_claim&) = delete;
    own_claim& operator=(const own_claim&) = delete;
    explicit operator bool() const noexcept { return r_ != nullptr; }
    [[nodiscard]] block& on() const noexcept { return *r_->on; }

   private:
    const registration* r_ = nullptr;
  };

  // A claim by another thread. If it succeeds, it is counted, and holds the lock until unlock(),
  // which pins the block, so that the closure stays in place even if the referent ends meanwhile.
  class foreign_claim {
   public:
    foreign_claim(const registration& r, std::atomic<std::uint64_t> tally::*count) noexcept {
      if (r.on == nullptr) return;
      unique_lock lock(r.on->m);
      if (!r.on->is_open_to_others(r.serial)) return;
      if (r.at->seen_by(r.generation) != node::armed) return;
      r.on->announce_claim(*r.at, r.on->foreign.*count);
      if (!Claim::by_other(*r.at, r.generation, node::running | node::is_elsewhere)) return;
      r.on->count_claim();
      lock_ = std::move(lock);
      r_ = &r;
    }
    ~foreign_claim() {
      if (r_ == nullptr) return;
      const bool pinned = !lock_.owns_lock();
      if (pinned) {
        THREADREF_POINT(foreign_done);
        lock_.lock();
      }
      r_->on->retire_foreign(*r_->at);
      lock_.unlock();
      if (pinned) r_->on->unpin();
    }
    foreign_claim(const foreign_claim&) = delete;
    foreign_claim& operator=(const foreign_claim&) = delete;
    explicit operator bool() const noexcept { return r_ != nullptr; }
    void unlock() noexcept {
      r_->on->pins.fetch_add(1, std::memory_order_relaxed);
      lock_.unlock();
      THREADREF_POINT(foreign_run);
    }
    [[nodiscard]] node& at() const noexcept { return *r_->at; }

   private:
    const registration* r_ = nullptr;
    unique_lock lock_;
  };

  // Plain bytes are copied under the lock; a user's move constructor runs without it.
  static void move_closure(foreign_claim& won, detached_closure& into) noexcept {
    node& n = won.at();
    if (n.has(node::is_plain)) {
      into.copy_from(n.fn, n.closure);
    } else {
      won.unlock();
      into.take_from(n.fn, n.closure);
    }
  }

  class drain;  // runs an exit list; in drain.hpp
  // Waits until holds() is true; `lock` holds b.m. See wait().
  template <class F>
  static void wait_until(block& b, unique_lock& lock, F holds);
  [[gnu::noinline]] static attached attach_slow() noexcept;  // see THREADREF_READS_TLS
  static void push(block& b, linked_node& n, exit_place place) noexcept {
    (place == exit_place::destructors ? b.destructors : b.chain_for(static_cast<exit_phase>(place)))
        .push(n);
  }
  static void undo(block& b, linked_node& n) noexcept;
  static void release(intrusive_node& n) noexcept;
  static void exit_early(linked_node& n);
  THREADREF_CATCHES_UNWINDING static void run_turn(block& b, linked_node& n,
                                                   std::atomic<std::uint64_t>& ran);

  // On the referent, which has claimed the node.
  static void leave_chain(node& n) noexcept {
    if (n.has(node::is_linked)) exit_chain::remove(static_cast<linked_node&>(n));
  }

  // The slot of a registration, and what its word will hold besides the state.
  struct place_in_order {
    node* at;  // null: error
    std::uint64_t flags;
    std::uint64_t word;  // the generation, in its place in the word
  };
  // In the array if there is room, else in the chain of the place.
  static place_in_order find_place(block& b, exit_place place) noexcept;
  // Whether a registration there gets an entry of its own with the system. Not once a round of the
  // key has begun: passes run what comes later. The entry would never be called, leak, or (Boost's
  // key under ThreadSanitizer) be called after the end. (One that is made in another key's
  // destructor before that does leak: 32 bytes of the C library.)
  static bool gets_entry(const block& b, exit_place place) noexcept {
    return !b.early_is_over && place <= (direct_hook<Hook> ? exit_place::last : exit_place::early);
  }
  static std::errc add_entry(node& n, exit_place place) noexcept;

  // fill(storage) makes the closure. It runs user code only for a type that runs_code_as_it_moves.
  template <class R, class Stored, class Fill>
  [[gnu::always_inline]] static added enter(block& b, exit_place place, Fill&& fill) {
    // Two copies of the rest, so that in the usual case the word is a constant away from the
    // counter.
    if (place == exit_place::last && !direct_hook<Hook>) [[likely]] {
      node* const slot = b.array_end();
      if (slot != b.array_limit) [[likely]]
        return publish<R, Stored>(b, {slot, 0, b.take_slot(slot)}, fill);
    }
    const place_in_order in = find_place(b, place);
    if (in.at == nullptr) {
      return {{},
              b.refusing || b.after_stage ? std::errc::operation_not_permitted
                                          : std::errc::not_enough_memory};
    }
    const added made = publish<R, Stored>(b, in, fill);
    if ((in.flags & node::has_entry) != 0 && (place == exit_place::early || direct_hook<Hook>)) {
      if (const std::errc error = add_entry(*in.at, place); error != std::errc{}) {
        undo(b, static_cast<linked_node&>(*in.at));
        return {{}, error};
      }
    }
    return made;
  }
  template <class R, class Stored, class Fill>
  [[gnu::always_inline]] static added publish(block& b, place_in_order in, Fill& fill) {
    node& n = *in.at;
    // The slot must not read "gone" while that code runs: if the code registered or removed
    // something, or ended the process, the slot would be handed out again.
    if constexpr (runs_code_as_it_moves<Stored>)
      n.word_now.store(in.word + (node::running | in.flags), std::memory_order_relaxed);
    unpoison(n.closure, sizeof n.closure);
    fill(n.closure);
    n.fn = &closure_model<R, Stored>;
    constexpr std::uint64_t armed = node::armed | (is_plain_closure<Stored> ? node::is_plain : 0);
    n.word_now.store(in.word + (armed | in.flags), std::memory_order_release);
    THREADREF_POINT(registered);
    return {{&b, b.serial, &n, node::generation_of(in.word)}, std::errc{}};
  }

  // The exit stage: in exit_stage_impl.hpp. What returns bool here says whether it ran anything.
  static void process_exit();
  static void arm_next_stage() noexcept;
  static bool run_stage(block& b);
  static bool run_stage_of_lost_main();
  static void run_all_threads();
  static bool run_batch(batch_of threads);
  static void offer_threads(newest_batch& batch, batch_of threads);
  static void run_vanished(block& b);
  static void renew_hook() noexcept {
    exit_key<exit_list>::renew();
    if constexpr (requires { Hook::renew(); }) Hook::renew();
  }
  static bool run_adopted(const registration& r);
  THREADREF_CATCHES_UNWINDING static bool run_reporting(const registration& r);
  static std::size_t detach_own_nodes(const code_range& code) noexcept;
  static bool detach_if(block& b, std::uint64_t serial, node& n, std::uint64_t generation,
                        const code_range& code) noexcept;

  // What the core must know of a thread before the hook's own storage exists and after it is gone.
  // Trivially destructible, so it can be read at any time in the thread's life. New for each
  // thread, also on a stack that has been used before.
  struct mark {
    block* own = nullptr;
    bool ended = false;
  };
  static constexpr list_functions functions_{&process_exit, &own, &run_vanished, &renew_hook};
  THREADREF_TLS static constinit thread_local mark mark_;
  static domain domain_;
};

// exit_list_impl.hpp has the definitions that only the back end's own file needs.

}  // namespace threadref::inline THREADREF_ABI::detail
