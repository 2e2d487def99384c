// SPDX-License-Identifier: MIT
#include "bench/harness/rows.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <vector>

#include "bench/scenarios/scenario.hpp"
#include "bench_subjects.hpp"
#include "scenarios/cells.hpp"
#include "testing/text.hpp"
#include "threadref/config.hpp"

namespace threadref::bench {

namespace {

using scenario_function = const scenario_code& (*)();

constexpr std::array<scenario_function, std::size(scenarios::table)> all_scenarios = [] {
  std::array<scenario_function, std::size(scenarios::table)> all{};
  scenarios::for_each_row<scenarios::tool::bench>(
      [&all]<id K>() { all[static_cast<std::size_t>(K)] = &scenario_of<K>; });
  return all;
}();

// What Google Benchmark calls for one row.
void run_row(benchmark::State& state, session& session, const row& row, const subject_code& s) {
  const scenario_code& what = scenario_of(row.key);
  if (what.run != nullptr) {
    what.run(state, session, row, s);
  } else {
    measure_and_report(state, session, row, s);
  }
  if (s.release != nullptr) s.release();
}

template <class F>
void add_row(session& session, row r, int pairs, F run) {
  r.pairs = pairs;
  session.add_row(r);
  benchmark::RegisterBenchmark(r.name.c_str(), run)
      ->Iterations(pairs)
      ->UseManualTime()
      ->Unit(benchmark::kNanosecond);
}

row make_row(const session& session, id key, std::string_view subject, row_kind kind, int n) {
  const scenarios::scenario& s = scenarios::row(key);
  row r{key, testing::concat(s.name, "/", subject, "/", s.parameter, ":", n), subject, kind, n};
  if (key == id::exit_under_churn) {
    r.churn = session.churn_threads();
    r.name += testing::concat("/churn:", r.churn);
  }
  return r;
}

void add_subject(session& session, const scenario_code& what, const subject_code& s, int n) {
  row r = make_row(session, what.key, s.name, s.kind, n);
  r.is_free = what.is_free;
  if (s.oldest_first) r.order = "oldest first";
  add_row(session, r, session.pairs(what.pairs(n)),
          [&session, r, &s](benchmark::State& state) { run_row(state, session, r, s); });
}

void add_absent(session& session, const scenario_code& what, std::string_view subject, int n,
                std::string_view why) {
  add_row(session, make_row(session, what.key, subject, row_kind::peer, n), 1,
          [&session, why](benchmark::State& state) { report_absent(state, session, why); });
}

// Peers that the build or their mechanism excludes get a row as well, which gives the reason.
void add_peers(session& session, const scenario_code& what, int n) {
  subject_list peers;
  if (what.all_peers) peers = subjects_of(row_kind::peer);
  for (const std::string_view name : what.peers) peers.push_back(&subject_named(name));
  for (const subject_code* s : peers) {
    const std::string_view why = why_not(what, *s, n);
    if (why.empty()) {
      add_subject(session, what, *s, n);
    } else {
      add_absent(session, what, s->name, n, why);
    }
  }
  if (!what.all_peers) return;
  for (const absent_peer& p : absent_peers) {
    if (!p.name.empty()) add_absent(session, what, p.name, n, p.why);
  }
}

// Adds every back end of the list that supports the scenario.
void add_back_ends(session& session, const scenario_code& what, const subject_list& back_ends,
                   int n) {
  for (const subject_code* s : back_ends) {
    if (scenarios::decide(scenarios::row(what.key), *s->info).status !=
        scenarios::cell_status::not_applicable) {
      add_subject(session, what, *s, n);
    }
  }
}

// The sizes of the row; only the smallest for --smoke; no more threads than the system allows.
std::vector<int> sizes_of(const session& session, const scenario_code& what) {
  const scenarios::scenario& s = scenarios::row(what.key);
  std::vector<int> wanted(s.finalizers.begin(), s.finalizers.end());
  if (what.values != nullptr) wanted = what.values(session);
  if (session.asked.smoke) wanted.resize(1);
  if (s.parameter == scenarios::alive) {
    for (int& n : wanted) n = session.possible_threads(n);
  }
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  return wanted;
}

void add_rows(session& session, const scenario_code& what) {
  if (what.run_empty != nullptr) {
    const row r =
        make_row(session, what.key, subject_named("floor_empty_thread").name, row_kind::floor, 0);
    add_row(session, r, session.pairs(what.pairs(0)),
            [&session, r, &what](benchmark::State& state) { what.run_empty(state, session, r); });
  }
  for (const int n : sizes_of(session, what)) {
    for (const std::string_view name : what.floors)
      add_subject(session, what, subject_named(name), n);
    add_back_ends(session, what, subjects_of(row_kind::back_end), n);
    add_peers(session, what, n);
  }
}

// A sweep repeats another row at other sizes, so a sanitizer would find nothing new.
constexpr std::string_view why_no_sweep = "excluded: this build has a sanitizer";
bool is_left_out(const scenario_code& what) {
  return (detail::under_tsan || detail::under_asan) && is_sweep(scenarios::row(what.key));
}

void add_left_out(session& session, const scenario_code& what) {
  add_row(session,
          row{what.key, testing::concat(scenarios::row(what.key).name, "/any"), "any",
              row_kind::peer, 1},
          1, [&session](benchmark::State& state) { report_absent(state, session, why_no_sweep); });
}

}  // namespace

const scenario_code& scenario_of(id key) {
  return all_scenarios[static_cast<std::size_t>(key)]();
}

void register_rows(session& session) {
  for (const scenario_function found : all_scenarios) {
    if (found == nullptr) continue;
    if (is_left_out(found())) {
      add_left_out(session, found());
    } else {
      add_rows(session, found());
    }
  }
}

void register_canary_rows(session& session) {
  for (const scenario_function found : all_scenarios) {
    // A sweep can't find a fault that the row it varies does not find.
    if (found == nullptr || is_sweep(scenarios::row(found().key))) continue;
    for (const int n : sizes_of(session, found()))
      add_back_ends(session, found(), all_canaries(), n);
  }
}

}  // namespace threadref::bench
