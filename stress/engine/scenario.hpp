// SPDX-License-Identifier: MIT
// What a scenario is here: one partial specialisation of `body`, in bodies/<name>.hpp.
#pragma once

#include "scenarios/scenarios.hpp"
#include "stress/engine/attach.hpp"
#include "stress/engine/round.hpp"
#include "threadref/threadref.hpp"

namespace threadref::stress {

// static void run(round&, ledger&) plays one round: makes threads, has them register and end, and
// returns when all of them have ended. The caller then compares the ledger with the library's
// counters and settles it. A row of the table that names tool::stress and has no body does not
// compile.
//
// Optional: static std::size_t threads_in_all(const round&), if more threads come and go in a round
// than are alive at once; static int child(round&, ledger&), which plays a child process;
// static constexpr std::uint64_t own_finalizers, which each thread registers besides, unseen by the
// ledger.
template <scenarios::id K, backend B>
struct body;

}  // namespace threadref::stress
