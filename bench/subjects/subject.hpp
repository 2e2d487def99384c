// SPDX-License-Identifier: MIT
// What is measured: a back end, a floor or a peer. All have the same shape, so that a timed body
// does the same to each.
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>

#include "bench/subjects/removal_kind.hpp"
#include "bench/timing/probe.hpp"

namespace threadref::bench {

//   name          the subject part of a benchmark's name
//   arm(s, n)     what a user would do once a thread, before the first of n registrations; s is
//                 room for n entries that outlives the thread, for what needs it
//   add(c, stored)  registers c on the calling thread. Who stores a function and one pointer uses
//                 `stored`, an equal call that outlives the thread.
//   run()         for what nothing tells of a thread's exit (floors): the thread calls it itself
// and, where a peer needs it,
//   most, why_no_more   how many a thread may register, and the reason
//   no_exit             why nothing runs at a thread's exit: there are no rows about that, then
//   oldest_first        true: the first that was registered runs first
//   release()           gives back what a row took, when its threads are gone
// A peer also has a summary and says what it lacks, for --describe.
template <class S>
concept subject = requires(entry* storage, call c) {
  { S::name } -> std::convertible_to<std::string_view>;
  S::arm(storage, 1);
  S::add(c, &c);
};
template <class S>
concept runs_itself = subject<S> && requires {
  S::run();
};

template <class S>
inline constexpr bool oldest_first = requires {
  requires S::oldest_first;
};

// A floor that leaves out the finalizers says so, by that name.
template <class S>
inline constexpr bool registers_nothing = requires {
  S::registers_nothing;
};

// Programs register here and there, not in a loop: without this the compiler keeps what it knows of
// one registration in registers for the next, and makes two vector stores of the floor.
inline void forget_registers() {
  asm volatile("" ::: "memory");
}

// The id of the i-th registration on a thread: in the ledger 0 must run last. Before any has run,
// `due` is the greatest.
template <class S>
[[gnu::always_inline]] inline std::int64_t id_of(const ledger& of, std::int64_t i) {
  if constexpr (oldest_first<S>) return of.due - i;
  return i;
}

// The timed loop. A function of its own, so that the compiler treats it like any other caller of
// the library, and so that the subjects differ in add() only.
template <subject S>
[[gnu::noinline]] void register_range(ledger& of, std::int64_t from, std::int64_t to) {
  call* const calls = of.calls;
  for (std::int64_t i = from; i != to; ++i) {
    const std::int64_t id = id_of<S>(of, i);
    S::add(call{&of, id}, calls + id);
    forget_registers();
  }
}

// The last statement of every routine: what would run at thread exit does, or will.
template <subject S>
[[gnu::always_inline]] inline void leave() {
  if constexpr (runs_itself<S>) S::run();
}

}  // namespace threadref::bench
