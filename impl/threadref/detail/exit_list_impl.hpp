// SPDX-License-Identifier: MIT
// The slow half of exit_list: a thread's first registration and its exit. Included by each
// backend.cpp, which instantiates it once.
#pragma once

#include <cxxabi.h>

#include <exception>

#include "threadref/detail/drain.hpp"
#include "threadref/detail/exit_guard.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/detail/exit_stage_impl.hpp"
#include "threadref/detail/no_cancellation.hpp"
#include "threadref/detail/process.hpp"

namespace threadref::detail {

template <class Hook, class Claim>
constinit thread_local typename exit_list<Hook, Claim>::mark exit_list<Hook, Claim>::mark_;
template <class Hook, class Claim>
constinit domain exit_list<Hook, Claim>::domain_{exit_list<Hook, Claim>::functions_};

template <class Hook, class Claim>
bool exit_list<Hook, Claim>::install() noexcept {
  if (!domain_.is_enrolled.load(std::memory_order_acquire)) enrol(domain_);
  return true;
}

template <class Hook, class Claim>
attached exit_list<Hook, Claim>::attach_slow() noexcept {
  if (mark_.ended) return {nullptr, std::errc::operation_not_permitted};
  // The hook's storage is gone, but its last pass is still to come.
  if (mark_.own != nullptr) return {mark_.own, std::errc{}};
  install();
  freeze_settings();
  block* b = domain_.arm_stage_if_over() ? domain_.acquire() : nullptr;
  if (b == nullptr) return {nullptr, std::errc::resource_unavailable_try_again};
  if constexpr (direct_hook<Hook>) b->single_use = b->array_closed = true;
  THREADREF_POINT(attach);
  mark_.own = b;
  const std::errc error = Hook::arm(*b);
  if (error == std::errc{}) return {b, error};
  mark_.own = nullptr;
  b->end_life();
  return {nullptr, error};
}

template <class Hook, class Claim>
auto exit_list<Hook, Claim>::find_place(block& b, exit_place place) noexcept -> place_in_order {
  if (!b.admits()) return {};
  if (place == exit_place::last && b.extend_array()) {
    node* const slot = b.array_end();
    return {slot, 0, b.take_slot(slot)};
  }
  linked_node* n = b.take_linked();
  if (n == nullptr) return {};
  b.take_turn();
  push(b, *n, place);
  std::uint64_t flags = node::is_linked;
  if (place == exit_place::very_last) flags |= node::is_very_last;
  if (place == exit_place::destructors) flags |= node::is_destructor;
  return {n, flags, b.next_word()};
}

template <class Hook, class Claim>
void exit_list<Hook, Claim>::push(block& b, linked_node& n, exit_place place) noexcept {
  if (place == exit_place::destructors) return b.destructors.push(n);
  exit_chain& chain = b.chain_for(static_cast<exit_phase>(place));
  chain.push(n);
  if constexpr (!direct_hook<Hook>) {
    if (&chain != &b.early || b.early_armed) return;
    b.early_armed = true;
    exit_guard<exit_list, exit_phase::early>::arm(b);
  }
}

// Undoes a registration for which a direct hook found no memory.
template <class Hook, class Claim>
void exit_list<Hook, Claim>::undo(block& b, linked_node& n) noexcept {
  const std::uint64_t generation = node::generation_of(n.word_now.load(std::memory_order_relaxed));
  if (!Claim::by_owner(b, n, generation)) return;
  n.fn(n.closure, closure_op::destroy, nullptr);
  exit_chain::remove(n);
  b.retire_own(n);
  increment(b.unregistered);
}

template <class Hook, class Claim>
std::errc exit_list<Hook, Claim>::add_node(intrusive_node& n, void (*fn)(void*), void* arg,
                                           exit_phase phase) noexcept {
  if (n.on.load(std::memory_order_relaxed) != nullptr) return std::errc::device_or_resource_busy;
  const auto [b, error] = attach();
  if (b == nullptr) return error;
  if (!b->admits()) return std::errc::operation_not_permitted;
  using call = bound<void (*)(void*), void*>;
  closure_storage<call>::create(n.closure, std::in_place, fn, arg);
  n.fn = &closure_model<void, call>;
  n.on.store(b, std::memory_order_relaxed);
  b->take_turn();
  push(*b, n, place_of(phase));
  n.word_now.store(b->next_word() | node::armed | node::is_exit_node | node::is_linked,
                   std::memory_order_relaxed);
  return {};
}

template <class Hook, class Claim>
std::errc exit_list<Hook, Claim>::remove_node(intrusive_node& n) noexcept {
  block* const on = n.on.load(std::memory_order_relaxed);
  if (on == nullptr) return std::errc::invalid_argument;
  if (on != own()) return std::errc::operation_not_permitted;
  exit_chain::remove(n);
  n.on.store(nullptr, std::memory_order_relaxed);
  increment(on->own.detached);
  return {};
}

template <class Hook, class Claim>
void exit_list<Hook, Claim>::exit_pass(block& b, exit_phase upto) {
  if (b.draining_here && !drain::has_work(b, upto)) return;  // a later round without new work
  const no_cancellation guard;
  Claim::begin(b);
  b.early_is_over = b.early_is_over || upto != exit_phase::early;
  drain(b, upto, b.ran_at_exit).run();
  b.early_is_over = true;
}

template <class Hook, class Claim>
void exit_list<Hook, Claim>::exit_one(node& n) {
  block* const b = own();
  // Main's thread_locals are destroyed by exit(), and the exit stage comes after that. On other
  // threads, the referent may have claimed the node before, or another pass may have run it. Then
  // it is still popped, since no slot of a direct back end is reused.
  auto& mine = static_cast<linked_node&>(n);  // all nodes of a direct back end are linked
  if (b == nullptr || b->is_main() || exit_chain::is_popped(mine)) return;
  const no_cancellation guard;
  Claim::begin(*b);
  exit_chain::remove(mine);
  drain turn(*b, exit_phase::last, b->ran_at_exit);
  if (turn.is_past_limits()) {
    b->last.push(mine);
    turn.run();
  } else {
    typename drain::tick count{turn};
    turn.run_one(n, count);
  }
}

template <class Hook, class Claim>
bool exit_list<Hook, Claim>::peek(const registration& r) noexcept {
  if (r.on == nullptr) return false;
  const bool mine = r.on == own();
  const lock_guard lock(r.on->m);
  if (mine ? r.on->serial != r.serial : !r.on->is_open_to_others(r.serial)) return false;
  if (r.at->seen_by(r.generation) != node::armed) return false;
  r.on->pin();
  return true;
}

template <class Hook, class Claim>
bool exit_list<Hook, Claim>::runs_at_process_exit(const registration& r) noexcept {
  if (r.on == nullptr) return false;
  const lock_guard lock(r.on->m);
  if (r.on->serial != r.serial || r.at->seen_by(r.generation) != node::armed) return false;
  return (r.at->word_now.load(std::memory_order_relaxed) & node::not_at_process_exit) == 0;
}

template <class Hook, class Claim>
void exit_list<Hook, Claim>::set_process_exit(const registration& r, bool wanted) noexcept {
  if (r.on == nullptr) return;
  const bool mine = r.on == own();
  const lock_guard lock(r.on->m);
  if (mine ? r.on->serial != r.serial : !r.on->is_open_to_others(r.serial)) return;
  std::uint64_t w = r.at->word_now.load(std::memory_order_relaxed);
  // A compare-and-swap, because the referent claims without the lock.
  while (node::generation_of(w) == r.generation && node::state_of(w) == node::armed) {
    const std::uint64_t flagged =
        wanted ? w & ~node::not_at_process_exit : w | node::not_at_process_exit;
    if (r.at->word_now.compare_exchange_weak(w, flagged, std::memory_order_acq_rel,
                                             std::memory_order_relaxed))
      return;
  }
}

// No wake-up is lost for good, although the referent marks a node "gone" by one release store and
// then checks for waiters by one relaxed load, with no fence between. (Without 3 and 4, 38 558 of
// 10 million were lost.)
//  1. The waiter counts itself while it holds the lock, and looks at the word after that.
//  2. If the referent's load sees the count, the referent takes the lock and notifies. A waiter
//     that has not had the lock by then will see "gone"; one that sleeps wakes.
//  3. If the load misses the count, the waiter may have missed the store too. Then the wake-up is
//     late, not lost: the store becomes visible in finite time, and the waiter looks again every
//     millisecond.
//  4. The end of the thread notifies in any case, so no waiter outlasts the thread by more than
//     that. If the thread ended without its exit hook having run, a waiter finds that when it looks
//     again, and ends its life.
// Another thread that claimed the node marks it "gone" under the lock, so for it 2 always holds.
template <class Hook, class Claim>
std::errc exit_list<Hook, Claim>::wait(const registration& r) {
  const auto gone = [&r] {
    return r.on->serial != r.serial || r.at->seen_by(r.generation) == node::gone;
  };
  if (r.on == nullptr) return {};
  unique_lock lock(r.on->m);
  if (gone()) return {};
  if (r.on == own() || foreign_run::contains(r)) {
    return std::errc::resource_deadlock_would_occur;
  }
  wait_until(*r.on, lock, gone);
  return {};
}

template <class Hook, class Claim>
template <class F>
void exit_list<Hook, Claim>::wait_until(block& b, unique_lock& lock, F holds) {
  for (;;) {
    b.wait_until(lock, [&] { return holds() || b.is_lost(); });
    if (!b.is_lost()) return;
    lock.unlock();
    domain_.end_if_missed(b);
    lock.lock();
  }
}

}  // namespace threadref::detail
