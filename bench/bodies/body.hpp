// SPDX-License-Identifier: MIT
// What a timed body looks like.
#pragma once

#include <benchmark/benchmark.h>

#include <exception>
#include <string_view>

#include "measure.hpp"
#include "scenarios/scenarios.hpp"
#include "session.hpp"
#include "subject.hpp"
#include "threadref/type_list.hpp"

namespace threadref::bench {

using scenarios::id;

// One specialisation per row of the table that names the bench: a row without one does not link.
//   floors         what no mechanism can beat; the first is the one that ratios are to
//   peers          other mechanisms that can do this at all: bench::peers, or none
//   at_exit        true: the question is about a thread's exit
//   pairs(n)       how many samples of the subject, and as many of the floor, a row takes
// and what measure_in_turns() needs, or a run<S>(state, all, of) of its own:
//   wanted         which figures the samples give
//   most(n)        how many finalizers a probe must have room for
//   operations(n)  how many one region holds
//   take<S>(at, n, v)   one sample of a back end, floor or peer; adds what it finds wrong
// and where they are not as usual:
//   is_free        true: not pinned
//   values(all)    what its parameter goes through, where the machine has a say in that
template <id K>
struct body;

// A trimmed mean of something short needs 10 000 samples, the percentiles of a median 1 000 at
// least; beyond that time is better spent on other rows.
constexpr int pairs_for(int n) {
  return n < 64 ? 10'000 : n < 1000 ? 4'000 : 1'000;
}

template <class First, class... Rest>
First first_of(type_list<First, Rest...>);

// Where the system does not give what the row needs, it says so.
template <class F>
void or_say_why(benchmark::State& state, session& all, F measure) {
  try {
    measure();
  } catch (const std::exception& error) {
    all.not_usable();
    state.SkipWithError(error.what());
  }
}

// Subject and floor in turns, alone.
template <id K, class S>
measured measure_in_turns(benchmark::State& state, session& all, const row& of) {
  using timed = body<K>;
  using floor = decltype(first_of(typename timed::floors{}));
  if (of.is_free) {
    all.go_with_crowd(0);
  } else {
    all.go_solo();
  }
  probe at(timed::most(of.n));
  return sample_pairs(
      state, timed::operations(of.n),
      [&](verdict& v) { return timed::template take<S>(at, of.n, v); },
      [&](verdict& v) { return timed::template take<floor>(at, of.n, v); });
}

template <id K, class S>
void measure_and_report(benchmark::State& state, session& all, const row& of) {
  report(state, all, of, body<K>::operations(of.n), measure_in_turns<K, S>(state, all, of),
         body<K>::wanted);
}

// What Google Benchmark calls for one row.
template <id K, class S>
void run_row(benchmark::State& state, session& all, const row& of) {
  if constexpr (requires { &body<K>::template run<S>; }) {
    body<K>::template run<S>(state, all, of);
  } else {
    measure_and_report<K, S>(state, all, of);
  }
  if constexpr (requires { S::release(); }) S::release();
}

// Why a peer can't do this with n, or nothing.
template <id K, class S>
constexpr std::string_view why_not(int n) {
  if constexpr (
      requires { S::no_exit; } && requires { requires body<K>::at_exit; }) {
    return S::no_exit;
  } else if constexpr (
      requires { S::most; } && requires { body<K>::most(n); }) {
    return body<K>::most(n) > S::most ? S::why_no_more : std::string_view();
  } else {
    return {};
  }
}

}  // namespace threadref::bench
