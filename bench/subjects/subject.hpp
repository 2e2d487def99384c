// SPDX-License-Identifier: MIT
// A subject is what is measured: a back end, a floor or a peer. All have the same interface, so
// that timed code treats them alike.
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>

#include "bench/subjects/removal_kind.hpp"
#include "bench/timing/probe.hpp"

namespace threadref::bench {

//   name          the subject part of a benchmark's name
//   arm(s, n)     what a user would do once per thread, before the first of n registrations; s has
//                 room for n entries and outlives the thread, for subjects that need it
//   add(c, stored)  registers c on the calling thread. Subjects that store a function and a pointer
//                 use `stored`, an equal call that outlives the thread.
//   run()         for subjects without an exit hook (floors): the thread calls it itself
// and, if a peer needs it,
//   most, why_no_more   how many a thread may register, and the reason
//   no_exit             why nothing runs at a thread's exit; then there are no rows about the exit
//   oldest_first        true: the oldest registration runs first
//   release()           frees what a row used, once its threads have ended
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

// A floor without finalizers declares a member of that name.
template <class S>
inline constexpr bool registers_nothing = requires {
  S::registers_nothing;
};

// Programs register here and there, not in a loop. Without this the compiler would keep values in
// registers from one registration to the next, and combine the floor's stores into vector stores.
inline void forget_registers() {
  asm volatile("" ::: "memory");
}

// The id of the i-th registration on a thread: id 0 must run last. Before any has run, `due` is the
// greatest id.
template <class S>
[[gnu::always_inline]] inline std::int64_t id_of(const ledger& of, std::int64_t i) {
  if constexpr (oldest_first<S>) return of.due - i;
  return i;
}

// The timed loop. It is a separate function so that the compiler treats it like any other caller of
// the library, and so that subjects differ only in add().
template <subject S>
[[gnu::noinline]] void register_range(ledger& of, std::int64_t from, std::int64_t to) {
  call* const calls = of.calls;
  for (std::int64_t i = from; i != to; ++i) {
    const std::int64_t id = id_of<S>(of, i);
    S::add(call{&of, id}, calls + id);
    forget_registers();
  }
}

// The last statement of every routine: runs the finalizers of a subject without an exit hook.
template <subject S>
[[gnu::always_inline]] inline void leave() {
  if constexpr (runs_itself<S>) S::run();
}

}  // namespace threadref::bench
