// SPDX-License-Identifier: MIT
// The output on the terminal: our header, one line per row, the closing table.
#pragma once

#include <benchmark/benchmark.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/harness/progress.hpp"
#include "bench/harness/session.hpp"

namespace threadref::bench {

// The facts of a run as keys and values, for Google Benchmark's context.
struct fact {
  std::string key;
  std::string value;
};
std::vector<fact> facts(const session& session);

// A row that was measured, or failed.
struct result {
  const row* of = nullptr;
  benchmark::UserCounters counters;
  std::string label;
  std::string error;
  // The value of a counter, or -1 if the row does not have it.
  [[nodiscard]] double value(const char* counter) const;
};

class table_reporter : public benchmark::BenchmarkReporter {
 public:
  explicit table_reporter(const session& session)
      : session_(session), steal_before_(testing::cpu_times_now()) {}
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

 private:
  void print_header();
  void print_columns(const row& first);
  void print(const result& r);
  void print_figures(const result& r);

  const session& session_;
  testing::cpu_times steal_before_;
  std::size_t name_width_ = 0;
  const row* previous_ = nullptr;
  std::vector<result> results_;
  std::optional<progress> progress_;
};

}  // namespace threadref::bench
