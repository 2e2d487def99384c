// SPDX-License-Identifier: MIT
// The core that every hook back end shares: a thread's finalizers, newest first, and who may take
// one out. A back end only says how a thread's block is found and how the thread learns of its
// exit.
#pragma once

#include <cxxabi.h>
#include <pthread.h>

#include <cstdint>
#include <exception>
#include <mutex>
#include <new>
#include <system_error>
#include <utility>

#include "threadref/config.hpp"
#include "threadref/detail/block.hpp"
#include "threadref/detail/claim.hpp"
#include "threadref/detail/closure.hpp"
#include "threadref/detail/domain.hpp"
#include "threadref/unraisable.hpp"

namespace threadref::detail {

// What a handle remembers of a registration. Trivially copyable; never dangles (see block.hpp).
struct registration {
  block* on = nullptr;
  std::uint64_t serial = 0;
  node* at = nullptr;
  std::uint64_t generation = 0;
  friend bool operator==(const registration&, const registration&) = default;
};

// The finalizers that this thread runs for others, innermost last: lets wait() see that it would
// wait for itself.
struct foreign_run {
  explicit foreign_run(const registration& what) noexcept
      : running(what), outer(std::exchange(innermost, this)) {}
  ~foreign_run() { innermost = outer; }
  foreign_run(const foreign_run&) = delete;
  foreign_run& operator=(const foreign_run&) = delete;
  static bool contains(const registration& what) noexcept {
    for (const foreign_run* f = innermost; f != nullptr; f = f->outer) {
      if (f->running == what) return true;
    }
    return false;
  }
  registration running;
  foreign_run* outer;
  static inline constinit thread_local foreign_run* innermost = nullptr;
};

template <class Hook, class Claim>
class exit_list {
 public:
  // What one exit may register late (while it drains) before the rest is abandoned: a finalizer
  // that always registers another must not keep a thread alive for ever.
  static constexpr std::uint64_t late_registrations_max = 1'000'000;

  // This thread's block, also after the hook's own storage is gone; null: never registered, or
  // ended.
  static block* own() noexcept {
    block* b = Hook::find();
    return b != nullptr ? b : mark_.own;
  }
  // The same; registers the thread if it is new. O(1); a lock only the first time.
  static block* attach(std::errc& error) noexcept {
    block* b = Hook::find();
    return b != nullptr ? b : attach_slow(error);
  }
  static bool ended() noexcept { return mark_.ended; }

  // Registers Stored(a...) on the calling thread. On error nothing has changed. What the
  // constructor throws is passed on. After a thread's first: no lock, no read-modify-write, and no
  // allocation but a callable's box and a slab in some dozens to thousands of calls.
  //
  // Inlined by force, as are its callers: out of line the callable is copied through memory in
  // pieces and read back whole, which defeats store forwarding (8.4 ns instead of 2.9).
  template <class R, class Stored, class... A>
  [[gnu::always_inline]] static registration add(std::errc& error, A&&... a) {
    block* b = attach(error);
    if (b == nullptr) return {};
    node* n = b->take_slot();
    if (n == nullptr) {
      error = b->refusing ? std::errc::operation_not_permitted : std::errc::not_enough_memory;
      return {};
    }
    unpoison(n->closure, sizeof n->closure);
    if constexpr (fits_inline<Stored> && std::is_nothrow_constructible_v<Stored, A...>) {
      closure_storage<Stored>::create(n->closure, std::forward<A>(a)...);
    } else {
      try {
        closure_storage<Stored>::create(n->closure, std::forward<A>(a)...);
      } catch (...) {
        poison(n->closure, sizeof n->closure);
        b->give_slot(*n);
        throw;
      }
    }
    n->fn = &closure_model<R, Stored>;
    const std::uint64_t generation =
        node::generation_of(n->word_now.load(std::memory_order_relaxed)) + 1;
    b->link(*n);
    bump(b->registered);
    n->word_now.store(node::word(generation, node::armed), std::memory_order_release);
    THREADREF_POINT(registered);
    return {b, b->serial, n, generation};
  }

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
      r.at->fn(r.at->closure, closure_op::destroy, nullptr);
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
    if (r.on == own()) return r.at->seen_by(r.generation);
    const std::lock_guard lock(r.on->m);
    return r.on->serial == r.serial ? r.at->seen_by(r.generation) : node::gone;
  }
  // Armed, and the calling thread could take it. True: the block is pinned for the caller.
  static bool peek(const registration& r) noexcept {
    if (r.on == nullptr) return false;
    const bool mine = r.on == own();
    const std::lock_guard lock(r.on->m);
    if (r.on->serial != r.serial || (r.on->draining && !mine)) return false;
    if (r.at->seen_by(r.generation) != node::armed) return false;
    r.on->pin_described();
    return true;
  }
  // Returns when it is gone. Error: the calling thread would wait for itself. A cancellation point.
  static std::errc wait(const registration& r);

  // --- Called by hooks, on the exiting thread.
  // Runs what is pending and what is registered meanwhile. Leaves by a forced unwind if a finalizer
  // calls pthread_exit: the hook must have armed itself again before, so that the rest runs.
  THREADREF_CATCHES_UNWINDING static void exit_pass(block& b);
  // No pass will come any more: registering on this thread is refused from now on.
  static void end(block& b) noexcept {
    mark_ = {nullptr, true};
    Hook::forget();
    b.end_life();
  }

  static domain& all() noexcept { return domain_; }
  static void pin(block& b) noexcept {
    const std::lock_guard lock(b.m);
    b.pin_described();
  }

 private:
  // The referent's claim; as it goes out of scope, the node is gone and its slot free.
  class own_claim {
   public:
    explicit own_claim(const registration& r) noexcept {
      if (r.on == nullptr || r.on != own() || !Claim::by_owner(*r.at, r.generation)) return;
      r_ = &r;
      r.on->unlink(*r.at);
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
      std::unique_lock lock(r.on->m);
      if (r.on->serial != r.serial || r.on->draining || !Claim::by_other(*r.at, r.generation))
        return;
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
    std::unique_lock<std::mutex> lock_;
  };

  // Bytes are copied under the lock; a move constructor of the user runs without it.
  static void take(foreign_claim& won, detached_closure& into) noexcept {
    node& n = won.at();
    if (n.fn(nullptr, closure_op::is_plain, nullptr)) {
      into.copy_from(n.fn, n.closure);
    } else {
      won.unlock();
      into.take_from(n.fn, n.closure);
    }
  }

  static block* attach_slow(std::errc& error) noexcept;
  static void abandon(block& b) noexcept;

  // What this core must know of a thread when the hook's own storage is gone or not yet there.
  // Trivially destructible, so it can be read at any time in the life of the thread.
  struct mark {
    block* own = nullptr;
    bool ended = false;
  };
  static constinit thread_local mark mark_;
  static domain domain_;
};

// The definitions that only the back end's own file needs stand in exit_list_impl.hpp.

}  // namespace threadref::detail
