// SPDX-License-Identifier: MIT
// The slow half of exit_list: a thread's first registration and its exit. Included by each
// backend.cpp, which instantiates it once.
#pragma once

#include <cxxabi.h>

#include <exception>

#include "threadref/detail/code_range.hpp"
#include "threadref/detail/drain.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/detail/exit_stage_impl.hpp"
#include "threadref/detail/no_cancellation.hpp"
#include "threadref/detail/process.hpp"
#include "threadref/detail/throw_error.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI::detail {

template <class Hook, class Claim>
constinit thread_local typename exit_list<Hook, Claim>::mark exit_list<Hook, Claim>::mark_;
template <class Hook, class Claim>
constinit process_key exit_list<Hook, Claim>::key;
template <class Hook, class Claim>
constinit domain exit_list<Hook, Claim>::domain_{exit_list<Hook, Claim>::functions_};

template <class Hook, class Claim>
bool exit_list<Hook, Claim>::install() noexcept {
  load(domain_);
  return true;
}

template <class Hook, class Claim>
attached exit_list<Hook, Claim>::attach_slow() noexcept {
  if (mark_.ended) return {nullptr, std::errc::operation_not_permitted};
  // The hook's storage is gone, but its last pass is still to come.
  if (mark_.own != nullptr) return {mark_.own, std::errc{}};
  enrol(domain_);  // if it is used before its static initialiser
  if (is_in_other_namespace()) return {nullptr, std::errc::operation_not_supported};
  freeze_settings();
  block* b = domain_.arm_stage_if_over() ? domain_.acquire() : nullptr;
  if (b == nullptr) return {nullptr, std::errc::resource_unavailable_try_again};
  if constexpr (direct_hook<Hook>) b->array_closed = true;
  if (domain_.arms_main_here()) domain_.arm_main();
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
  if (gets_entry(b, place)) flags |= node::has_entry;
  return {n, flags, b.next_word()};
}

template <class Hook, class Claim>
std::errc exit_list<Hook, Claim>::add_entry(node& n, exit_place place) noexcept {
  if constexpr (direct_hook<Hook>) {
    if (place == exit_place::last) return Hook::arm_one(n);
  }
  constexpr auto turn = [](void* of) { exit_early(*static_cast<linked_node*>(of)); };
  return add_thread_local_destructor(turn, static_cast<linked_node*>(&n));
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
  linked_node* entry = nullptr;
  if (phase == exit_phase::early && !b->early_is_over) {
    entry = b->take_linked();
    if (entry == nullptr) return std::errc::not_enough_memory;
    entry->stands_for = &n;
  }
  using call = bound<void (*)(void*), void*>;
  closure_storage<call>::create(n.closure, std::in_place, fn, arg);
  n.fn = &closure_model<void, call>;
  n.on.store(b, std::memory_order_relaxed);
  n.entry = entry;
  b->take_turn();
  push(*b, n, place_of(phase));
  n.word_now.store(b->next_word() | node::armed | node::is_exit_node | node::is_linked,
                   std::memory_order_relaxed);
  if (entry == nullptr) return {};
  constexpr auto turn = [](void* of) {
    if (own() == nullptr) return;  // see exit_early(); its memory may be gone as well
    if (linked_node* node_of = static_cast<linked_node*>(of)->stands_for) exit_early(*node_of);
  };
  return add_thread_local_destructor(turn, entry);
}

// Its storage is the caller's again. (It is in no chain any more.)
template <class Hook, class Claim>
void exit_list<Hook, Claim>::release(intrusive_node& n) noexcept {
  if (n.entry != nullptr) n.entry->stands_for = nullptr;
  n.on.store(nullptr, std::memory_order_relaxed);
}

template <class Hook, class Claim>
std::errc exit_list<Hook, Claim>::remove_node(intrusive_node& n) noexcept {
  block* const on = n.on.load(std::memory_order_relaxed);
  if (on == nullptr) return std::errc::invalid_argument;
  if (on != own()) return std::errc::operation_not_permitted;
  exit_chain::remove(n);
  release(n);
  increment(on->own.detached);
  return {};
}

template <class Hook, class Claim>
void exit_list<Hook, Claim>::end_node(intrusive_node& n) noexcept {
  block& on = *n.on.load(std::memory_order_relaxed);
  {
    const lock_guard lock(on.m);
    if (!on.holds(n)) return;  // its thread is gone
  }
  if (&on != own()) {
    abort_with(
        "threadref: an exit_node was destroyed on another thread than the one that attached it, "
        "whose exit would still use it\n");
  }
  exit_chain::remove(n);
  release(n);
  if (!is_thread_local(&n)) return increment(on.own.detached);
  increment(on.abandoned);
  report(on, nullptr, incident::node_destroyed);
}

template <class Hook, class Claim>
void exit_list<Hook, Claim>::exit_pass(block& b, exit_phase upto) {
  if (b.draining_here && !drain::has_work(b, upto)) return;  // a later round without new work
  const no_cancellation guard;
  Claim::begin(b);
  drain(b, upto, b.ran_at_exit).run();
}

// Main's thread_locals are destroyed by exit(), and the exit stage comes after that. On other
// threads, the referent may have claimed the node before, or another pass may have run it. Then it
// is still popped, since its slot is not used again.
template <class Hook, class Claim>
void exit_list<Hook, Claim>::exit_one(node& n) {
  block* const b = own();
  auto& mine = static_cast<linked_node&>(n);  // all nodes of a direct back end are linked
  if (b == nullptr || b->is_main() || exit_chain::is_popped(mine)) return;
  run_turn(*b, mine, b->ran_at_exit);
}

// As exit_one(), for the phase early. (No block: this is main, which called pthread_exit() before
// the process ended.) With atexit(false) it is left to the exit stage, which defers it, and to the
// rounds of the key.
template <class Hook, class Claim>
void exit_list<Hook, Claim>::exit_early(linked_node& n) {
  block* const b = own();
  if (b == nullptr || exit_chain::is_popped(n)) return;
  if (!b->is_main()) return run_turn(*b, n, b->ran_at_exit);
  if (!n.has(node::not_at_process_exit)) run_turn(*b, n, b->own.ran_at_process_exit);
}

template <class Hook, class Claim>
void exit_list<Hook, Claim>::run_turn(block& b, linked_node& n, std::atomic<std::uint64_t>& ran) {
  const no_cancellation guard;
  Claim::begin(b);
  exit_chain::remove(n);
  drain turn(b, exit_phase::last, ran);
  typename drain::tick count{turn};
  turn.run_or_abandon(n, count);
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

}  // namespace threadref::inline THREADREF_ABI::detail
