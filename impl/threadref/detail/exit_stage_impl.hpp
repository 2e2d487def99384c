// SPDX-License-Identifier: MIT
// What happens to exit lists other than by their thread's exit: the end of the process, a fork, the
// unloading of a plugin.
#pragma once

#include <cxxabi.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>

#include "threadref/detail/exit_list.hpp"
#include "threadref/detail/no_cancellation.hpp"
#include "threadref/detail/process.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI::detail {

// The newest of the registrations offered to it, in a fixed array: the end of the process must not
// need memory. (Offering everything again for each batch costs n * n / 64 visits.)
class newest_batch {
 public:
  struct entry {
    std::uint64_t rank = 0;
    registration at;
  };
  void offer(std::uint64_t rank, const registration& at) noexcept {
    std::size_t i = size_ < entries_.size() ? size_++ : entries_.size() - 1;
    if (size_ == entries_.size() && entries_[i].rank >= rank) return;
    for (; i != 0 && entries_[i - 1].rank < rank; --i) entries_[i] = entries_[i - 1];
    entries_[i] = {rank, at};
  }
  [[nodiscard]] const entry* begin() const noexcept { return entries_.data(); }
  [[nodiscard]] const entry* end() const noexcept { return entries_.data() + size_; }

 private:
  std::array<entry, 64> entries_{};
  std::size_t size_ = 0;
};

// Offers the block's pending finalizers to `batch`, except those with one of the flags `but`. Their
// ranks are above `rank`, which grows from block to block; with options::global_order, generations
// are enough.
inline void offer_pending(newest_batch& batch, block& b, std::uint64_t but, std::uint64_t& rank) {
  const std::uint64_t below = b.ordered ? 0 : rank;
  b.visit(node::armed, [&](node& n, std::uint64_t w) {
    const std::uint64_t generation = node::generation_of(w);
    if ((w & but) == 0) batch.offer(below + generation, {&b, b.serial, &n, generation});
    rank = std::max(rank, below + generation);
  });
}

// The exit stage, called like an atexit function: on the thread that ends the process, list by
// list, until a pass over all of them finds nothing to run.
template <class Hook, class Claim>
void exit_list<Hook, Claim>::process_exit() {
  arm_next_stage();
  keep_objects_for_good();
  if (settings().adopt && settings().global_order) run_all_threads();
  bool any = true;
  while (any) {
    block* const mine = own();  // again each time: an adopted finalizer may register this thread
    any = mine != nullptr && run_stage(*mine);
    any = run_stage_of_lost_main() || any;
    if (settings().adopt) any = run_batch(batch_of::other_threads) || any;
  }
  if (block* mine = own()) mine->end_stage();
  domain_.end_stage();
}

// A finalizer may call exit(), which does not return here. The stage armed here then runs the rest.
template <class Hook, class Claim>
void exit_list<Hook, Claim>::arm_next_stage() noexcept {
  block* const mine = own();
  if (mine == nullptr || mine->after_stage || !drain::has_work(*mine, exit_phase::very_last))
    return;
  static_cast<void>(domain_.arm_stage());
}

// Runs the list of one block, except what atexit(false) defers, and puts that back at the end.
template <class Hook, class Claim>
bool exit_list<Hook, Claim>::run_stage(block& b) {
  if (!drain::has_work(b, exit_phase::very_last)) return false;
  const no_cancellation guard;
  Claim::begin(b);
  b.early_is_over = true;
  b.staging = true;
  struct put_back {
    block& b;
    ~put_back() {
      b.staging = false;
      // Newest first, since the oldest was deferred last.
      while (linked_node* n = b.deferred.pop_newest())
        (n->has(node::is_very_last) ? b.very_last : b.last).push(*n);
      b.rewind_array();
    }
  };
  const std::uint64_t before = b.own.ran_at_process_exit.load(std::memory_order_relaxed);
  {
    const put_back at_end{b};
    drain(b, exit_phase::very_last, b.own.ran_at_process_exit).run();
  }
  return b.own.ran_at_process_exit.load(std::memory_order_relaxed) != before;
}

// The list of a main thread that is gone but whose exit was missed. Ends its block.
template <class Hook, class Claim>
bool exit_list<Hook, Claim>::run_stage_of_lost_main() {
  block* const lost = domain_.pin_lost_main();
  if (lost == nullptr) return false;
  const bool any = run_stage(*lost);
  {
    // What atexit(false) kept from running. The block's next thread must not find it in a slot.
    const lock_guard lock(lost->m);
    lost->abandon_pending();
  }
  lost->bury();
  lost->unpin();
  return any;
}

// Runs everything that is pending on any thread, in one order. If this thread exceeds its limits,
// its own list is left to run_stage(), which abandons the rest.
template <class Hook, class Claim>
void exit_list<Hook, Claim>::run_all_threads() {
  const no_cancellation guard;
  do {
    if (block* mine = own()) {
      Claim::begin(*mine);
      mine->early_is_over = true;
      const drain limits(*mine, exit_phase::very_last, mine->own.ran_at_process_exit);
      if (limits.is_past_limits()) return;
    }
  } while (run_batch(batch_of::all_threads));
}

// Runs one batch of what is pending on those threads, newest first.
template <class Hook, class Claim>
bool exit_list<Hook, Claim>::run_batch(batch_of threads) {
  newest_batch batch;
  const std::uint64_t newest = last_in_order();
  offer_threads(batch, threads);
  bool any = false;
  for (const auto& [of, at] : batch) {
    any = run_adopted(at) || any;
    // A registration made meanwhile is newer than the rest of the batch.
    if (threads == batch_of::all_threads && last_in_order() != newest) return true;
  }
  return any;
}

template <class Hook, class Claim>
void exit_list<Hook, Claim>::offer_threads(newest_batch& batch, batch_of threads) {
  constexpr auto but = node::not_at_process_exit | node::is_destructor;
  std::uint64_t rank = 0;
  const std::size_t blocks = domain_.used();
  for (std::size_t i = 0; i != blocks; ++i) {
    block* const b = domain_.pin_live(i);
    if (b == nullptr) continue;
    const bool mine = b == own();
    if (!mine || threads == batch_of::all_threads) {
      const lock_guard lock(b->m);
      if (mine || !b->draining) offer_pending(batch, *b, but, rank);
    }
    b->unpin();
  }
}

template <class Hook, class Claim>
bool exit_list<Hook, Claim>::run_adopted(const registration& r) {
  if (own_claim mine{r}) {
    increment(run_reporting(r) ? mine.on().own.ran_at_process_exit : mine.on().own.dropped);
    return true;
  }
  if (foreign_claim theirs{r, &tally::ran_at_process_exit}) {
    theirs.unlock();
    const foreign_run frame(r);
    if (!run_reporting(r)) {
      const lock_guard lock(r.on->m);
      increment(r.on->dropped_at_process_exit);
    }
    return true;
  }
  return false;
}

// Runs what the caller has claimed. False if it was a ref callback that was dropped.
template <class Hook, class Claim>
bool exit_list<Hook, Claim>::run_reporting(const registration& r) {
  try {
    return r.at->fn(r.at->closure, closure_op::run, nullptr);
  } catch (abi::__forced_unwind&) {
    throw;
  } catch (...) {
    report(*r.on, std::current_exception(), incident::threw);
  }
  return true;
}

// In the child of a fork: runs what a vanished thread left.
template <class Hook, class Claim>
void exit_list<Hook, Claim>::run_vanished(block& b) {
  for (bool any = true; any;) {
    any = false;
    newest_batch batch;
    std::uint64_t rank = 0;
    offer_pending(batch, b, node::is_destructor, rank);
    for (const auto& [of, at] : batch) any = run_adopted(at) || any;
  }
}

// Whether the code of a registration, or its state of up to 16 bytes, lies in `code`.
inline bool is_part_of(const node& n, const code_range& code) noexcept {
  if (code.contains(reinterpret_cast<std::uintptr_t>(n.fn))) return true;
  std::uintptr_t words[closure_bytes / sizeof(std::uintptr_t)];
  std::memcpy(words, n.closure, sizeof words);
  return code.contains(words[0]) || code.contains(words[1]);
}

// Destroys a finalizer of the life `serial` if it is part of `code`. False if it is not, or is
// unavailable.
template <class Hook, class Claim>
bool exit_list<Hook, Claim>::detach_if(block& b, std::uint64_t serial, node& n,
                                       std::uint64_t generation, const code_range& code) noexcept {
  const bool mine = &b == own();
  {
    const lock_guard lock(b.m);
    if (mine ? b.serial != serial : !b.is_open_to_others(serial)) return false;
    if (!Claim::by_other(n, generation, node::inspected)) return false;
    const std::uint64_t w = n.word_now.load(std::memory_order_relaxed);
    const bool wanted = is_part_of(n, code);
    if (wanted && !mine) b.announce_claim(n, b.foreign.detached);
    const std::uint64_t claimed = mine ? node::running : node::running | node::is_elsewhere;
    n.word_now.store(node::with(w, wanted ? claimed : node::armed), std::memory_order_release);
    if (!wanted) return false;
    if (mine) {
      increment(b.own.detached);
    } else {
      b.count_claim();
    }
  }
  n.fn(n.closure, closure_op::destroy, nullptr);
  if (mine) {
    leave_chain(n);
    b.retire_own(n);
  } else {
    const lock_guard lock(b.m);
    b.retire_foreign(n);
  }
  return true;
}

// Detaches the exit_nodes of the calling thread that are part of `code`. Only their own thread may
// touch the chains that they are in.
template <class Hook, class Claim>
std::size_t exit_list<Hook, Claim>::detach_own_nodes(const code_range& code) noexcept {
  block* const mine = own();
  if (mine == nullptr) return 0;
  std::size_t count = 0;
  for (exit_chain* chain : {&mine->early, &mine->last, &mine->very_last}) {
    chain->visit([&](linked_node& n) {
      if (!n.has(node::is_exit_node) || !is_part_of(n, code)) return;
      if (remove_node(static_cast<intrusive_node&>(n)) == std::errc{}) ++count;
    });
  }
  return count;
}

template <class Hook, class Claim>
std::size_t exit_list<Hook, Claim>::detach_all(const code_range& code,
                                               const void* caller) noexcept {
  if (code.begin == code.end) return 0;  // there is no such object
  const no_cancellation to_the_end;
  std::size_t count = detach_own_nodes(code);
  const std::size_t blocks = domain_.used();
  for (std::size_t i = 0; i != blocks; ++i) {
    block* b = domain_.pin_live(i);
    if (b == nullptr) continue;
    unique_lock lock(b->m);
    const std::uint64_t serial = b->serial;
    lock.unlock();
    b->visit(node::armed, [&](node& n, std::uint64_t w) {
      if (detach_if(*b, serial, n, node::generation_of(w), code)) ++count;
    });
    // Anything that is running may be code of that object, and a closure can't be read while it
    // runs.
    const auto is_idle = [b] {
      if (b->draining) return b->state.load(std::memory_order_acquire) == thread_state::ended;
      bool idle = true;
      b->visit(node::running, [&idle](node&, std::uint64_t) { idle = false; });
      return idle;
    };
    if (b != own()) {
      lock.lock();
      wait_until(*b, lock, is_idle);
      lock.unlock();
    }
    b->unpin();
  }
  if (!code.contains(reinterpret_cast<std::uintptr_t>(caller))) release_objects(code);
  return count;
}

}  // namespace threadref::inline THREADREF_ABI::detail
