// SPDX-License-Identifier: MIT
// Named points of the claim protocol, at which stress_threadref injects yields chosen by a seed.
// Races that need two threads within nanoseconds of each other do not occur by chance: without
// injection a planted race was found in 0 of 20 runs, with it in 20 of 20.
#pragma once

#include <cstddef>
#include <string_view>

#include "threadref/config.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI::detail {

enum class point : unsigned char {
  attach,         // a thread has got its block, which is not armed yet
  registered,     // a registration was published
  owner_claim,    // the referent is about to claim one of its finalizers
  foreign_claim,  // another thread holds the block's lock and is about to claim
  foreign_run,    // another thread has claimed, and released the lock
  foreign_done,   // another thread has finished, before it takes the lock again
  begin_drain,    // the exiting thread is about to refuse foreign claims
  exit_claim,     // the exiting thread is about to claim the next finalizer
  end,            // the exiting thread is about to mark itself ended
  recycle         // the last pin of a dead block is gone; this enumerator stays the last
};

// The names, in the order of the enumerators, for the report of a run.
inline constexpr std::string_view point_names[] = {
    "attach",       "registered",  "owner_claim", "foreign_claim", "foreign_run",
    "foreign_done", "begin_drain", "exit_claim",  "end",           "recycle"};
inline constexpr std::size_t point_count = std::size(point_names);
static_assert(point_count == static_cast<std::size_t>(point::recycle) + 1);

// The function that a point calls; null for none. Set it before threads run. The library that ships
// never calls it: THREADREF_POINT() is empty there.
using point_hook = void (*)(point) noexcept;
void set_point_hook(point_hook hook) noexcept;
void at_point(point where) noexcept;

}  // namespace threadref::inline THREADREF_ABI::detail
