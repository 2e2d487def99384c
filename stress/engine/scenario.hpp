// SPDX-License-Identifier: MIT
// A scenario is a partial specialisation of `body`, in stress/scenarios/<name>.hpp.
#pragma once

#include "scenarios/scenarios.hpp"
#include "stress/engine/attach.hpp"
#include "stress/engine/round.hpp"
#include "threadref/threadref.hpp"

namespace threadref::stress {

// static void run(round&, finalizer_ledger&) plays one round: it starts threads, has them register
// and end, and returns when all of them have ended. The caller then compares the ledger with the
// library's counters and tallies the outcomes. A row of the table that names tool::stress but has
// no body does not compile.
//
// Optional:
// * static std::size_t threads_in_all(const round&), if a round starts more threads than are alive
//   at once;
// * static int child(round&, finalizer_ledger&), which runs in a child process;
// * static constexpr std::uint64_t own_finalizers: how many more each thread registers without the
//   ledger.
template <scenarios::id K, backend B>
struct body;

}  // namespace threadref::stress
