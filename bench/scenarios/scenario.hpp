// SPDX-License-Identifier: MIT
// What a timed body looks like.
#pragma once

#include <benchmark/benchmark.h>

#include <exception>
#include <string_view>
#include <vector>

#include "bench/harness/session.hpp"
#include "bench/subjects/subject_code.hpp"
#include "bench/timing/measure.hpp"
#include "scenarios/scenarios.hpp"

namespace threadref::bench {

using scenarios::id;

// What a row of the table of scenarios does for whichever subject. What a body leaves out is null.
struct scenario_code {
  id key{};
  // What no mechanism can beat, by name; the first is the one that ratios are to.
  std::vector<std::string_view> floors{};
  // Other mechanisms that can do this at all, by name, or all of the table of peers.
  std::vector<std::string_view> peers{};
  bool all_peers = false;
  bool at_exit = false;  // the question is about a thread's exit
  bool is_free = false;  // not pinned
  // How many samples of the subject, and as many of the floor, a row takes.
  int (*pairs)(int n) = nullptr;
  // What its parameter goes through, where the machine has a say in that.
  std::vector<int> (*values)(const session& session) = nullptr;

  // What measure_in_turns() needs: which figures the samples give, how many finalizers a probe must
  // have room for, how many operations one sample holds, and one sample of a subject or a floor,
  // which adds what it finds wrong.
  figures wanted = figures::per_operation;
  int (*most)(int n) = nullptr;
  double (*operations)(int n) = nullptr;
  sample (*take)(const subject_code& s, probe& at, int n, verdict& v) = nullptr;

  // Instead of measure_and_report().
  void (*run)(benchmark::State& state, session& session, const row& row,
              const subject_code& s) = nullptr;
  // A row of a thread without any finalizer.
  void (*run_empty)(benchmark::State& state, session& session, const row& row) = nullptr;
};

// The one of that row. Each is defined in bodies/: a row without one does not link.
template <id K>
const scenario_code& scenario_of();

// The same, for a row that the program knows only when it runs.
const scenario_code& scenario_of(id key);

// What processes differ by is far more than what one of them leaves uncertain after so many, so
// time is better spent on other rows, or on further process starts.
constexpr int pairs_for(int n) {
  return n < 64 ? 4'000 : n < 1000 ? 2'000 : 500;
}

// Where the system does not give what the row needs, it says so.
template <class F>
void fail_with_reason(benchmark::State& state, session& session, F measure) {
  try {
    measure();
  } catch (const std::exception& error) {
    session.not_usable();
    state.SkipWithError(error.what());
  }
}

// Subject and floor in turns, alone.
measured measure_in_turns(benchmark::State& state, session& session, const row& row,
                          const subject_code& s);
void measure_and_report(benchmark::State& state, session& session, const row& row,
                        const subject_code& s);

// Why a subject can't do this with n, or nothing.
std::string_view why_not(const scenario_code& what, const subject_code& s, int n);

}  // namespace threadref::bench
