// SPDX-License-Identifier: MIT
#include "bench/scenarios/scenario.hpp"

namespace threadref::bench {

measured measure_in_turns(benchmark::State& state, session& all, const row& of,
                          const subject_code& s) {
  const body& what = body_of(of.key);
  const subject_code& floor = subject_named(what.floors.front());
  if (of.is_free) {
    all.go_with_idle(0);
  } else {
    all.go_solo();
  }
  probe at(what.most(of.n));
  return sample_pairs(
      state, what.operations(of.n), [&](verdict& v) { return what.take(s, at, of.n, v); },
      [&](verdict& v) { return what.take(floor, at, of.n, v); });
}

void measure_and_report(benchmark::State& state, session& all, const row& of,
                        const subject_code& s) {
  const body& what = body_of(of.key);
  report(state, all, of, what.operations(of.n), measure_in_turns(state, all, of, s), what.wanted);
}

std::string_view why_not(const body& what, const subject_code& s, int n) {
  if (what.at_exit && !s.no_exit.empty()) return s.no_exit;
  if (what.most != nullptr && what.most(n) > s.most) return s.why_no_more;
  return {};
}

}  // namespace threadref::bench
