// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "stress/scenarios/mixed.hpp"

namespace threadref::stress {

// Do all finalizers run when threads of all ends come in waves, each gone before the next comes?
//
//   stress_threadref --filter=^waves/ --time=4m
//
// A real run (2 CPUs of an AMD EPYC beside other work, Release, 2026-11-20), 38 to 52 s for each
// back end: 102,733 to 294,350 threads, up to 4,082 alive, 1.9 to 5.3 million finalizers, all
// `once`.
//
// A wave is a round: 256 to 4,096 threads, as the seed decides, all alive at once, which end like
// those of `mixed`. The ledger never exceeds one wave, however many waves come, and the library
// reuses for the next wave what a large one made it allocate.
template <backend B>
struct body<scenarios::id::waves, B> {
  static void run(round& r, finalizer_ledger& ledger) {
    constexpr int least_part = 16;
    generator from(mix(r.seed, "wave"));
    round wave = r;
    wave.threads = draw(from, std::max(1, r.threads / least_part), r.threads);
    body<scenarios::id::mixed, B>::run(wave, ledger);
  }
};

}  // namespace threadref::stress
