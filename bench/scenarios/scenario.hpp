// SPDX-License-Identifier: MIT
// The interface of a scenario: what its rows run and report.
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

// The code behind a row of the table of scenarios, for any subject. Functions that it does not need
// are null.
struct scenario_code {
  id key{};
  // The names of floors, which no mechanism can beat. Ratios are relative to the first.
  std::vector<std::string_view> floors{};
  // The names of peers that can do this, or all peers of the table.
  std::vector<std::string_view> peers{};
  bool all_peers = false;
  bool at_exit = false;  // measures a thread's exit
  bool is_free = false;  // not pinned
  // How many samples of the subject, and as many of the floor, a row takes.
  int (*pairs)(int n) = nullptr;
  // The values of its parameter, if they depend on the machine.
  std::vector<int> (*values)(const session& session) = nullptr;

  // For measure_in_turns(): which figures to report, how many finalizers a probe must have room
  // for, how many operations a sample contains (most: n), and a function that takes one sample of a
  // subject or a floor and adds the faults it finds.
  figures wanted = figures::per_operation;
  int (*most)(int n) = nullptr;
  double (*operations)(int n) = [](int n) -> double { return n; };
  sample (*take)(const subject_code& s, probe& at, int n, verdict& v) = nullptr;

  // Called instead of measure_and_report().
  void (*run)(benchmark::State& state, session& session, const row& row,
              const subject_code& s) = nullptr;
  // Measures a thread without finalizers, which is a row of its own.
  void (*run_empty)(benchmark::State& state, session& session, const row& row) = nullptr;
};

// The code of that scenario. Each is defined in this folder; without it the program does not link.
template <id K>
const scenario_code& scenario_of();

// The same, if the key is known only at run time.
const scenario_code& scenario_of(id key);

// After so many pairs, processes differ from each other by far more than the error within one. Time
// is better spent on other rows or on more processes.
constexpr int pairs_for(int n) {
  return n < 64 ? 4'000 : n < 1000 ? 2'000 : 500;
}

// Fails the row with the message of the exception if the system refuses what the row needs.
template <class F>
void fail_with_reason(benchmark::State& state, session& session, F measure) {
  try {
    measure();
  } catch (const std::exception& error) {
    session.not_usable();
    state.SkipWithError(error.what());
  }
}

// Measures subject and floor in turns, without idle threads.
measured measure_in_turns(benchmark::State& state, session& session, const row& row,
                          const subject_code& s);
void measure_and_report(benchmark::State& state, session& session, const row& row,
                        const subject_code& s);

// Why a subject can't do this with n finalizers, or nothing.
std::string_view why_not(const scenario_code& what, const subject_code& s, int n);

}  // namespace threadref::bench
