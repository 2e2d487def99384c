// SPDX-License-Identifier: MIT
// For bodies/*.cpp: how a body becomes rows.
#pragma once

#include <benchmark/benchmark.h>

#include <type_traits>

#include "baselines/floor_empty_thread.hpp"
#include "baselines/peers.hpp"
#include "bodies/body.hpp"
#include "rows.hpp"
#include "scenarios/canaries.hpp"
#include "scenarios/matrix.hpp"
#include "text.hpp"

namespace threadref::bench {

using run_function = void (*)(benchmark::State&, session&, const row&);

inline void add_row(session& all, const row& r, int pairs, run_function run) {
  all.add_row(r);
  benchmark::RegisterBenchmark(r.name.c_str(),
                               [&all, r, run](benchmark::State& state) { run(state, all, r); })
      ->Iterations(all.pairs(pairs))
      ->UseManualTime()
      ->Unit(benchmark::kNanosecond);
}

inline row make_row(const session& all, const scenarios::scenario& s, std::string_view subject,
                    row_kind kind, int n) {
  row r{s.key, concat(s.name, "/", subject, "/", s.parameter, ":", n), subject, kind, n};
  if (s.key == id::exit_under_churn) {
    r.churn = all.churn_crowd();
    r.name += concat("/churn:", r.churn);
  }
  return r;
}

template <id K, class S>
void add_subject(session& all, row_kind kind, int n) {
  row r = make_row(all, scenarios::row(K), S::name, kind, n);
  if constexpr (requires { body<K>::is_free; }) r.is_free = body<K>::is_free;
  if constexpr (oldest_first<S>) r.order = "oldest first";
  add_row(all, r, body<K>::pairs(n), &run_row<K, S>);
}

template <id K>
void add_absent(session& all, std::string_view subject, int n, std::string_view why) {
  const row r = make_row(all, scenarios::row(K), subject, row_kind::peer, n);
  all.add_row(r);
  benchmark::RegisterBenchmark(
      r.name.c_str(), [&all, why](benchmark::State& state) { say_absent(state, all, why); })
      ->Iterations(1)
      ->UseManualTime();
}

// Those that the build or the mechanism leaves out are rows too, which say why.
template <id K>
void add_peers(session& all, int n) {
  for_each_type(typename body<K>::peers{}, [&all, n]<class S>() {
    const std::string_view why = why_not<K, S>(n);
    if (why.empty()) {
      add_subject<K, S>(all, row_kind::peer, n);
    } else {
      add_absent<K>(all, S::name, n, why);
    }
  });
  if constexpr (std::is_same_v<typename body<K>::peers, peers>) {
    for (const absent_peer& p : absent_peers) {
      if (!p.name.empty()) add_absent<K>(all, p.name, n, p.why);
    }
  }
}

// Every back end of the list that can do this at all.
template <id K, class List>
void add_libraries(session& all, int n) {
  for_each_type(List{}, [&all, n]<backend B>() {
    if (scenarios::decide(scenarios::row(K), B::info).status !=
        scenarios::cell_status::not_applicable) {
      add_subject<K, library<B>>(all, row_kind::back_end, n);
    }
  });
}

// Calls f(n) for each size of the row, or for the smallest; what the system does not give is none.
template <id K, class F>
void for_each_size(const session& all, F f) {
  const scenarios::scenario& s = scenarios::row(K);
  std::vector<int> sizes(s.finalizers.begin(), s.finalizers.end());
  if constexpr (requires { body<K>::values(all); }) sizes = body<K>::values(all);
  int done = -1;
  for (const int wanted : sizes) {
    const int n = s.parameter == scenarios::alive ? all.crowd_of(wanted) : wanted;
    if (n != done) f(n);
    if (all.asked.smoke) return;
    done = n;
  }
}

template <id K>
void rows_of<K>::add(session& all) {
  if constexpr (requires { &body<K>::run_empty; }) {
    const row r = make_row(all, scenarios::row(K), floor_empty_thread::name, row_kind::floor, 0);
    add_row(all, r, body<K>::pairs(0), &body<K>::run_empty);
  }
  for_each_size<K>(all, [&all](int n) {
    for_each_type(typename body<K>::floors{},
                  [&all, n]<class S>() { add_subject<K, S>(all, row_kind::floor, n); });
    add_libraries<K, backends>(all, n);
    add_peers<K>(all, n);
  });
}

template <id K>
void rows_of<K>::add_canaries(session& all) {
  // A sweep finds no fault that the row does not which it varies.
  if constexpr (!scenarios::is_sweep(scenarios::row(K)))
    for_each_size<K>(all, [&all](int n) { add_libraries<K, canaries>(all, n); });
}

}  // namespace threadref::bench
