// SPDX-License-Identifier: MIT
#include "bench/scenarios/scenario.hpp"

namespace threadref::bench {

measured measure_in_turns(benchmark::State& state, session& session, const row& row,
                          const subject_code& s) {
  const scenario_code& what = scenario_of(row.key);
  const subject_code& floor = subject_named(what.floors.front());
  if (row.is_free) {
    session.go_with_idle(0);
  } else {
    session.go_solo();
  }
  probe at(what.most(row.n));
  return sample_pairs(
      state, what.operations(row.n), [&](verdict& v) { return what.take(s, at, row.n, v); },
      [&](verdict& v) { return what.take(floor, at, row.n, v); });
}

void measure_and_report(benchmark::State& state, session& session, const row& row,
                        const subject_code& s) {
  const scenario_code& what = scenario_of(row.key);
  report(state, session, row, what.operations(row.n), measure_in_turns(state, session, row, s),
         what.wanted);
}

std::string_view why_not(const scenario_code& what, const subject_code& s, int n) {
  if (what.at_exit && !s.no_exit.empty()) return s.no_exit;
  if (what.most != nullptr && what.most(n) > s.most) return s.why_no_more;
  return {};
}

}  // namespace threadref::bench
