// SPDX-License-Identifier: MIT
#include "rows.hpp"

#include <benchmark/benchmark.h>

#include "measure.hpp"
#include "scenarios/scenarios.hpp"
#include "text.hpp"
#include "threadref/config.hpp"

namespace threadref::bench {

namespace {

// A sweep does what another row does, at other sizes: a sanitizer would only say it again.
constexpr std::string_view why_no_sweep = "left out: this build has a sanitizer";
constexpr bool is_left_out(scenarios::id key) {
  return (detail::under_tsan || detail::under_asan) && is_sweep(scenarios::row(key));
}

[[maybe_unused]] void add_left_out(session& all, scenarios::id key) {
  const row r{key, concat(scenarios::row(key).name, "/any"), "any", row_kind::peer, 1};
  all.add_row(r);
  benchmark::RegisterBenchmark(
      r.name.c_str(), [&all](benchmark::State& state) { say_absent(state, all, why_no_sweep); })
      ->Iterations(1)
      ->UseManualTime();
}

}  // namespace

void register_rows(session& all) {
  scenarios::for_each_row<scenarios::tool::bench>([&all]<scenarios::id K>() {
    if constexpr (is_left_out(K)) {
      add_left_out(all, K);
    } else {
      rows_of<K>::add(all);
    }
  });
}

void register_canary_rows(session& all) {
  scenarios::for_each_row<scenarios::tool::bench>([&all]<scenarios::id K>() {
    if constexpr (!is_left_out(K)) rows_of<K>::add_canaries(all);
  });
}

}  // namespace threadref::bench
