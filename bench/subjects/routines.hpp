// SPDX-License-Identifier: MIT
// The routines of the threads of most rows. Timed code: it is compiled once for each subject, by
// make_code.hpp, and for some of them again in the shared libraries of sweep/access.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "bench/load/pinned_threads.hpp"
#include "bench/subjects/finalizers.hpp"
#include "bench/subjects/subject.hpp"

namespace threadref::bench {

// A thread that has one finalizer registers n more.
template <subject S>
void registration_routine(probe& at) {
  S::arm(at.storage(), at.n + 1);
  register_range<S>(at.done, 0, 1);
  at.start = now();
  register_range<S>(at.done, 1, at.n + 1);
  at.stop = now();
  leave<S>();
}

// A thread with n finalizers; its last statement starts the clock, its last finalizer stops it.
template <subject S>
void exit_routine(probe& at) {
  S::arm(at.storage(), at.n);
  register_range<S>(at.done, 0, at.n);
  at.start = now();
  leave<S>();
}

// Asks n times whether the thread is registered, which it is. A "no" counts as misordered.
template <class S>
[[gnu::noinline]] std::uint64_t count_unknown(int n) {
  std::uint64_t unknown = 0;
  for (int i = 0; i != n; ++i) {
    unknown += S::is_known() ? 0U : 1U;
    forget_registers();
  }
  return unknown;
}
template <class S>
void ensure_many_routine(probe& at) {
  if constexpr (requires { S::know(&at); }) S::know(&at);
  static_cast<void>(S::is_known());
  at.start = now();
  const std::uint64_t unknown = count_unknown<S>(at.n);
  at.stop = now();
  at.done.misordered += unknown;
}

// The first finalizer of a thread, arming included.
template <subject S>
void first_registration_routine(probe& at) {
  at.start = now();
  S::arm(at.storage(), 1);
  register_range<S>(at.done, 0, 1);
  at.stop = now();
  leave<S>();
}

template <subject S, int Kind>
void add_of_kind(ledger& of, std::int64_t id, void* place) {
  const call_of_kind<Kind> c{{&of, id}};
  S::add(c, new (place) call_of_kind<Kind>(c));
}
template <subject S>
inline constexpr auto adders_by_kind = [
]<int... Kind>(std::integer_sequence<int, Kind...> /*kinds*/) {
  return std::array{&add_of_kind<S, Kind>...};
}
(std::make_integer_sequence<int, mix::kinds>{});

// An exit with finalizers of eight kinds; probe::shared is a mix with room for n.
template <subject S>
void exit_mixed_routine(probe& at) {
  mix& with = *static_cast<mix*>(at.shared);
  S::arm(at.storage(), at.n);
  for (std::int64_t i = 0; i != at.n; ++i) {
    const std::int64_t id = id_of<S>(at.done, i);
    adders_by_kind<S>[with.kind(i)](at.done, id, with.at(id));
  }
  at.start = now();
  leave<S>();
}

template <std::size_t Bytes, subject S>
[[gnu::noinline]] void register_sized(sized_call<Bytes>* calls, std::int64_t from,
                                      std::int64_t to) {
  for (std::int64_t id = from; id != to; ++id) {
    S::add(calls[id], calls + id);
    forget_registers();
  }
}

// n finalizers of that size. probe::shared is an array of sized_call<Bytes>: n + 1 of them if the
// registrations are timed, n if the exit is.
template <std::size_t Bytes, bool IsExit, subject S>
void sized_routine(probe& at) {
  static_assert(sizeof(sized_call<Bytes>) == Bytes);
  auto* const calls = static_cast<sized_call<Bytes>*>(at.shared);
  const int before = IsExit ? 0 : 1;
  const int most = before + at.n;
  S::arm(at.storage(), most);
  register_sized<Bytes, S>(calls, 0, before);
  at.start = now();
  register_sized<Bytes, S>(calls, before, most);
  if (IsExit) {
    at.start = now();
  } else {
    at.stop = now();
  }
  leave<S>();
}

// As registration_routine and exit_routine, on pinned_threads, all at the same time.
template <subject S>
void register_at_once(probe& at) {
  pinned_threads::pin_to_slot(at);
  S::arm(at.storage(), at.n + 1);
  register_range<S>(at.done, 0, 1);
  pinned_threads::wait_at_barrier(at);
  at.start = now();
  register_range<S>(at.done, 1, at.n + 1);
  at.stop = now();
  leave<S>();
}
template <subject S>
void exit_at_once(probe& at) {
  pinned_threads::pin_to_slot(at);
  S::arm(at.storage(), at.n);
  register_range<S>(at.done, 0, at.n);
  pinned_threads::wait_at_barrier(at);
  at.start = now();
  leave<S>();
}

}  // namespace threadref::bench
