// SPDX-License-Identifier: MIT
// What a timed body looks like.
#pragma once

#include <benchmark/benchmark.h>

#include "measure.hpp"
#include "scenarios/scenarios.hpp"
#include "session.hpp"
#include "subject.hpp"
#include "threadref/type_list.hpp"

namespace threadref::bench {

using scenarios::id;

// One specialisation per row of the table that names the bench: a row without one does not compile.
//   floors     what no mechanism can beat; the first is the one that ratios are to
//   peers      other mechanisms that can do this at all
//   pairs(n)   how many probes of the subject, and as many of the floor, a row takes
//   run<S>     measures one subject
template <id K>
struct body;

// A median needs 1 000 samples, a trimmed mean of something short 10 000; beyond that time is
// better spent on other rows.
constexpr int pairs_for(int n) {
  return n < 1000 ? 10'000 : 1'000;
}

}  // namespace threadref::bench
