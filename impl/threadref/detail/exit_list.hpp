// SPDX-License-Identifier: MIT
// The core that every hook back end shares: a thread's finalizers, newest first, and who may take
// one out. A back end only says how a thread's block is found and how the thread learns of its
// exit.
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
#include "threadref/detail/registration.hpp"
#include "threadref/phase.hpp"
#include "threadref/unraisable.hpp"

namespace threadref::detail {

// Where a registration goes: into one of the phases, or to stage 2.
enum class exit_place : std::uint8_t { early, last, very_last, destructors };
constexpr exit_place place_of(exit_phase p) noexcept {
  return static_cast<exit_place>(p);
}

// A hook that registers each finalizer with the system by itself (see backend.hpp).
template <class Hook>
concept direct_hook = requires(node& n) {
  { Hook::arm_one(n) }
  noexcept->std::same_as<std::errc>;
};

template <class Hook, class Claim>
class exit_list {
 public:
  // This thread's block, also after the hook's own storage is gone; null: never registered, or
  // ended.
  static block* own() noexcept {
    block* b = Hook::find();
    return b != nullptr ? b : mark_.own;
  }
  // The same; registers the thread if it is new. O(1); a lock only the first time.
  static attached attach() noexcept {
    block* b = Hook::find();
    if (b != nullptr) [[likely]]
      return {b, std::errc{}};
    return attach_slow();
  }
  static bool ended() noexcept { return mark_.ended; }
  // Before the first use: makes the back end known to the process. O(1).
  static bool install() noexcept;

  // Registers Stored(a...) on the calling thread. On error nothing has changed. What the
  // constructor throws is passed on. After a thread's first: no lock, no read-modify-write, and no
  // allocation but a callable's box and a slab in some dozens to thousands of calls.
  //
  // A callable that could register something by itself as it is made, or whose box asks malloc, is
  // there before it gets its slot: what an allocator registers meanwhile is older, and so is there
  // until the box is freed. What it registers as it is moved there is newer: see publish().
  //
  // Inlined by force, as are its callers: out of line the callable is copied through memory in
  // pieces and read back whole, which defeats store forwarding (8.4 ns instead of 2.9).
  template <class R, class Stored, class... A>
  [[gnu::always_inline]] static added add(exit_place place, A&&... a) {
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

  // Registers storage of the caller. On error nothing has changed. O(1), no allocation once the
  // thread is registered, no lock after its first.
  static std::errc add_node(intrusive_node& n, void (*fn)(void*), void* arg,
                            exit_phase phase) noexcept;
  // Takes it out. operation_not_permitted: another thread's; invalid_argument: it is not attached.
  static std::errc remove_node(intrusive_node& n) noexcept;

  // Taking a registration by value here is on purpose: the function that is run or destroyed may
  // own the handle that the call came through.

  // Runs it now, on the calling thread; false: it is not to be had. What it throws is passed on.
  static bool call(const registration r, void* result) {
    if (own_claim mine{r}) {
      bump(mine.on().own.ran_by_call);
      return r.at->fn(r.at->closure, closure_op::run, result);
    }
    if (foreign_claim theirs{r}) {
      bump(r.on->foreign.ran_by_call);
      theirs.unlock();
      const foreign_run frame(r);
      return r.at->fn(r.at->closure, closure_op::run, result);
    }
    return false;
  }

  // Takes it out of its list and hands the closure over; `pinned`: the caller gets a pin of the
  // block.
  static bool detach(const registration r, detached_closure& into, bool pinned) noexcept {
    if (own_claim mine{r}) {
      bump(mine.on().own.detached);
      if (pinned) pin(*r.on);
      into.take_from(r.at->fn, r.at->closure);
      return true;
    }
    if (foreign_claim theirs{r}) {
      bump(r.on->foreign.detached);
      if (pinned) r.on->pin_described();
      take(theirs, into);
      return true;
    }
    return false;
  }
  // Takes it out and destroys the closure, here and now. The ref form counts as dropped.
  static bool cancel(const registration r,
                     std::atomic<std::uint64_t> tally::*count = &tally::detached) noexcept {
    if (own_claim mine{r}) {
      bump(mine.on().own.*count);
      if (!r.at->has(node::is_plain)) r.at->fn(r.at->closure, closure_op::destroy, nullptr);
      return true;
    }
    detached_closure condemned;
    if (foreign_claim theirs{r}) {
      bump(r.on->foreign.*count);
      take(theirs, condemned);
      return true;
    }
    return false;
  }

  static node::state state(const registration& r) noexcept {
    if (r.on == nullptr) return node::gone;
    if (r.on == own()) return r.on->serial == r.serial ? r.at->seen_by(r.generation) : node::gone;
    const lock_guard lock(r.on->m);
    return r.on->serial == r.serial ? r.at->seen_by(r.generation) : node::gone;
  }
  // Armed, and the calling thread could take it. True: the block is pinned for the caller.
  static bool peek(const registration& r) noexcept;
  // The flag of finalizer::atexit(). False: gone, running, or not to be had.
  static bool runs_at_process_exit(const registration& r) noexcept;
  static void set_process_exit(const registration& r, bool wanted) noexcept;
  // Returns when it is gone. Error: the calling thread would wait for itself. A cancellation point.
  static std::errc wait(const registration& r);

  // Stage 2: removes all entries of the calling thread for which wanted(bytes) holds. O(entries).
  template <class F>
  static bool remove_destructors(F&& wanted) noexcept {
    block* b = own();
    if (b == nullptr) return false;
    exit_chain taken;
    {
      // What detach_all() destroyed on another thread stands in the chain still, without a closure.
      const lock_guard others_take_none(b->m);
      b->destructors.visit([&](linked_node& n) {
        const std::uint64_t w = n.word_now.load(std::memory_order_relaxed);
        if (node::state_of(w) != node::armed || !wanted(n.closure)) return;
        if (!Claim::by_other(n, node::generation_of(w), node::running)) return;
        exit_chain::remove(n);
        taken.push(n);
      });
    }
    const bool any = !taken.empty();
    while (linked_node* n = taken.pop_oldest()) {
      bump(b->own.detached);
      b->retire_own(*n);
    }
    return any;
  }

  // Destroys every pending finalizer of any thread whose code or plain state lies in `code`, and
  // waits for what runs. Gives their number. See unload.hpp.
  static std::size_t detach_all(const code_range& code) noexcept;

  // --- Called by hooks, on the exiting thread.
  // Runs what is pending up to the phase, and what is registered meanwhile. Leaves by a forced
  // unwind if a finalizer calls pthread_exit: the hook must have armed itself again before, so that
  // the rest runs.
  THREADREF_CATCHES_UNWINDING static void exit_pass(block& b, exit_phase upto);
  // The turn of one finalizer has come, by its own entry with the system: see direct_hook.
  THREADREF_CATCHES_UNWINDING static void exit_one(node& n);
  // No pass will come any more: registering on this thread is refused from now on.
  static void end(block& b) noexcept {
    mark_ = {nullptr, true};
    Hook::forget();
    b.end_life();
  }

  static domain& all() noexcept { return domain_; }
  static void pin(block& b) noexcept {
    const lock_guard lock(b.m);
    b.pin_described();
  }

 private:
  // The referent's claim; as it goes out of scope, the node is gone and its slot free.
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

  // Another thread's claim. Won: holds the lock until unlock(), which pins the block, so that the
  // closure stays in place although the referent may end meanwhile.
  class foreign_claim {
   public:
    explicit foreign_claim(const registration& r) noexcept {
      if (r.on == nullptr) return;
      unique_lock lock(r.on->m);
      if (r.on->serial != r.serial || r.on->draining) return;
      if (!Claim::by_other(*r.at, r.generation, node::running | node::is_elsewhere)) return;
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

  // Bytes are copied under the lock; a move constructor of the user runs without it.
  static void take(foreign_claim& won, detached_closure& into) noexcept {
    node& n = won.at();
    if (n.has(node::is_plain)) {
      into.copy_from(n.fn, n.closure);
    } else {
      won.unlock();
      into.take_from(n.fn, n.closure);
    }
  }

  class drain;  // what runs an exit list; in drain.hpp
  static attached attach_slow() noexcept;
  static void push(block& b, linked_node& n, exit_place place) noexcept;
  static void undo(block& b, linked_node& n) noexcept;

  // On the referent, who has claimed it.
  static void leave_chain(node& n) noexcept {
    if (n.has(node::is_linked)) exit_chain::remove(static_cast<linked_node&>(n));
  }

  // Where a registration gets its slot, and what its word says besides.
  struct place_in_order {
    node* at;
    std::uint64_t flags;
    std::uint64_t word;  // which comes next
  };
  // In the array, if there is room now; else in the chain of the place. Null: error.
  static place_in_order find_place(block& b, exit_place place) noexcept;

  // The closure is there, or can be made by fill(storage), which runs nobody's code but that of
  // types that run_code_as_they_move.
  template <class R, class Stored, class Fill>
  [[gnu::always_inline]] static added enter(block& b, exit_place place, Fill&& fill) {
    // Two copies of the rest, so that the word of the usual case is a constant away from the
    // counter.
    if (place == exit_place::last && !direct_hook<Hook>) [[likely]] {
      node* const fresh = b.fresh();
      if (fresh != b.fresh_end) [[likely]]
        return publish<R, Stored>(b, {fresh, 0, b.take_slot(fresh)}, fill);
    }
    const place_in_order in = find_place(b, place);
    if (in.at == nullptr) {
      return {{},
              b.refusing || b.after_stage ? std::errc::operation_not_permitted
                                          : std::errc::not_enough_memory};
    }
    const added made = publish<R, Stored>(b, in, fill);
    if constexpr (direct_hook<Hook>) {
      // Once a pass of the key has begun, passes run what is late: an entry with the system would
      // come to nothing, be leaked, or (Boost's key under ThreadSanitizer) come after the end.
      if (place <= exit_place::last && !b.early_is_over) {
        if (const std::errc error = Hook::arm_one(*in.at); error != std::errc{}) {
          undo(b, static_cast<linked_node&>(*in.at));
          return {{}, error};
        }
      }
    }
    return made;
  }
  template <class R, class Stored, class Fill>
  [[gnu::always_inline]] static added publish(block& b, place_in_order in, Fill& fill) {
    node& n = *in.at;
    // The slot must not read "gone" while that code runs: whatever registers or takes out there, or
    // ends the process, would give it away again.
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

  // The exit stage: in exit_stage_impl.hpp.
  static void process_exit();
  static bool stage(block& b);
  static void sweep_all();
  static bool sweep(bool also_own);
  static void run_vanished(block& b);
  static void renew_hook() noexcept {
    exit_key<exit_list>::renew();
    if constexpr (requires { Hook::renew(); }) Hook::renew();
  }
  static bool run_adopted(const registration& r);
  THREADREF_CATCHES_UNWINDING static std::atomic<std::uint64_t> tally::*run_reporting(
      const registration& r);
  static bool detach_if(block& b, std::uint64_t serial, node& n, std::uint64_t generation,
                        const code_range& code) noexcept;

  // What this core must know of a thread when the hook's own storage is gone or not yet there.
  // Trivially destructible, so it can be read at any time in the life of the thread.
  struct mark {
    block* own = nullptr;
    bool ended = false;
  };
  static constexpr list_functions functions_{&process_exit, &own, &run_vanished, &renew_hook};
  static constinit thread_local mark mark_;
  static domain domain_;
};

// The definitions that only the back end's own file needs stand in exit_list_impl.hpp.

}  // namespace threadref::detail
