// SPDX-License-Identifier: MIT
// Finalizers that are cancelled, detached or called before their thread ends. Timed code: it is
// compiled once for each subject, by make_code.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/subjects/finalizers.hpp"
#include "bench/subjects/subject.hpp"
#include "testing/gate.hpp"

namespace threadref::bench {

inline constexpr int removed_by_owner = 1024;  // in a sample
inline constexpr int removed_by_another = 256;

// Finalizers that were called must have run once each, the others never, not even at the exit of
// their thread.
inline void judge_runs(removal how, std::uint64_t runs, std::uint64_t removed, verdict& v) {
  const std::uint64_t due = how == removal::call ? removed : 0;
  if (runs < due) v.lost += due - runs;
  if (runs > due) v.doubled += runs - due;
}

// Returns how many could not be removed.
template <removal R, subject S>
[[gnu::noinline]] std::uint64_t add_and_remove(counted* stored, int times) {
  std::uint64_t refused = 0;
  for (int i = 0; i != times; ++i) {
    if (!S::template add_then_remove<R>(*stored, stored)) ++refused;
    forget_registers();
  }
  return refused;
}

// probe::shared is the number of finalizers that ran.
template <removal R, subject S>
void owner_routine(probe& at) {
  S::arm(at.storage(), 2);
  register_range<S>(at.done, 0, 1);
  counted stored{static_cast<std::uint64_t*>(at.shared)};
  at.start = now();
  at.done.refused += add_and_remove<R, S>(&stored, removed_by_owner);
  at.stop = now();
  leave<S>();
}

template <class S>
struct thread_with_handles {
  testing::gate registered;
  testing::gate released;
  std::vector<typename S::handle> handles{removed_by_another};
  std::uint64_t runs = 0;

  static void routine(probe& at) {
    auto& with = *static_cast<thread_with_handles*>(at.shared);
    register_range<S>(at.done, 0, 1);
    for (typename S::handle& h : with.handles) h = S::add_for_handle(counted{&with.runs});
    at.start = at.stop = now();
    with.registered.open();
    with.released.wait();
  }
};

// Returns how many could not be removed.
template <removal R, class Handle>
[[gnu::noinline]] std::uint64_t remove_all(const std::vector<Handle>& handles) {
  std::uint64_t refused = 0;
  for (const Handle& h : handles) refused += remove_by<R>(h) ? 0U : 1U;
  return refused;
}

template <removal R, class S>
sample remove_from_another(probe& at, verdict& v) {
  thread_with_handles<S> with;
  at.shared = &with;
  at.begin(&thread_with_handles<S>::routine, 1);
  with.registered.wait();
  const instant before = now();
  const instant start = now();
  v.lost += remove_all<R>(with.handles);
  const instant stop = now();
  with.released.open();
  sample s = at.join(v);
  judge_runs(R, with.runs, removed_by_another, v);
  s.empty = start - before;
  s.region = stop - start;
  return s;
}

// For bench_instructions: registers probe::n + 1 and cancels n of them, oldest first.
template <class Handle>
[[gnu::noinline]] void cancel_range(const std::vector<Handle>& handles, std::uint64_t& refused) {
  for (const Handle& h : handles) {
    refused += h.cancel() ? 0U : 1U;
    forget_registers();
  }
}
template <class S>
void register_and_cancel_routine(probe& at) {
  std::vector<typename S::handle> own(static_cast<std::size_t>(at.n));
  register_range<S>(at.done, 0, 1);
  std::int64_t id = 0;
  for (typename S::handle& h : own) h = S::add_for_handle(call{&at.done, ++id});
  cancel_range(own, at.done.refused);
}

}  // namespace threadref::bench
