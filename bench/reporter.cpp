// SPDX-License-Identifier: MIT
#include "reporter.hpp"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <ostream>

#include "scenarios/describe.hpp"
#include "summary.hpp"
#include "text.hpp"
#include "threadref/config.hpp"
#include "trace.hpp"

namespace threadref::bench {

namespace {

std::string pinning(const session& of) {
  return of.pinned_cpu() >= 0 ? concat("CPU ", of.pinned_cpu()) : "none";
}

bool is_latency(const row& r) {
  using scenarios::id;
  return r.key == id::exit_solo || r.key == id::exit_mixed || r.key == id::exit_under_churn;
}

struct column {
  const char* counter;
  std::string_view title;
};
std::vector<column> columns_of(const row& r) {
  if (r.kind == row_kind::pair)
    return {
        {"ratio", "B / A"}, {"low", "low"}, {"high", "high"}, {"a_ns", "A ns"}, {"b_ns", "B ns"}};
  if (is_latency(r)) {
    return {{"ratio", "x floor"},    {"p50", "drain p50"},       {"p99", "p99"},
            {"p999", "p99.9"},       {"total_p50", "total p50"}, {"total_p99", "p99"},
            {"total_p999", "p99.9"}, {"total_ratio", "x floor"}};
  }
  if (r.key == scenarios::id::ref_check) {
    return {{"ratio", "x floor"}, {"dead_ns", "if dead"}};
  }
  return {{"ns_se", "+-"}, {"ratio", "x floor"}};
}

// Names the run's limits, where there are some.
std::vector<std::string> warnings(const session& of) {
  std::vector<std::string> all;
  if (of.asked.smoke) all.emplace_back("smoke: too few threads for figures");
  if (detail::under_tsan || detail::under_asan)
    all.emplace_back("built with a sanitizer: only the checks mean something, no figure does");
  if (scenarios::this_build().build_type != "Release")
    all.emplace_back("not a Release build: the figures say nothing about the library");
  if (!of.room.limit.empty())
    all.push_back(concat("churn rows have ", of.room.threads,
                         " other threads: more are not possible here (", of.room.limit, ")"));
  return all;
}

}  // namespace

std::vector<fact> facts(const session& of) {
  const scenarios::environment& e = of.machine;
  const scenarios::build_info& b = scenarios::this_build();
  return {{"machine", e.machine},
          {"cpu", e.cpu},
          {"cores", concat(e.cores_allowed, " of ", e.cores_online)},
          {"memory_mib", concat(e.memory_mib)},
          {"libc", e.libc},
          {"kernel", e.kernel},
          {"allocator", e.allocator},
          {"clock_tick_ns", absl::StrFormat("%.0f", e.clock_tick_ns)},
          {"clock_read_ns", absl::StrFormat("%.1f", e.clock_read_ns)},
          {"pinned_cpu", concat(of.pinned_cpu())},
          {"load", absl::StrFormat("%.2f", e.load)},
          {"compiler", std::string(b.compiler)},
          {"build_type", std::string(b.build_type)},
          {"commit", std::string(b.commit)},
          {"version", std::string(b.version)},
          {"churn_threads", concat(of.room.threads)},
          {"churn_limit", of.room.limit}};
}

double result::value(const char* counter) const {
  const auto found = counters.find(counter);
  return found != counters.end() ? found->second.value : -1;
}

bool table_reporter::ReportContext(const Context& /*context*/) {
  for (const auto& [name, r] : of_.rows()) name_width_ = std::max(name_width_, name.size());
  print_header();
  return true;
}

void table_reporter::print_header() {
  const scenarios::environment& e = of_.machine;
  const scenarios::build_info& b = scenarios::this_build();
  std::ostream& out = GetOutputStream();
  out << absl::StrFormat("machine  %s (%s), %d of %d cores, %s, %s, malloc of %s\n", e.machine,
                         e.cpu, e.cores_allowed, e.cores_online, e.libc, e.kernel, e.allocator);
  out << absl::StrFormat(
      "clock    ticks in %.0f ns; reading it costs %.1f ns, which is subtracted\n", e.clock_tick_ns,
      e.clock_read_ns);
  out << "pinning  " << pinning(of_) << "; rows with churn on all " << e.cores_allowed
      << " CPUs.  load " << absl::StrFormat("%.2f", e.load) << "\n";
  out << "build    " << b.build_type << ", " << b.compiler << ", commit " << b.commit
      << "  (how Google Benchmark was built does not matter: it times nothing here)\n";
  for (const std::string& w : warnings(of_)) out << "note     " << w << "\n";
  out << std::flush;
}

void table_reporter::print_columns(const row& first) {
  std::ostream& out = GetOutputStream();
  out << "\n"
      << (first.kind == row_kind::pair ? "how much longer does B take than A, in turns with it?"
                                       : scenarios::row(first.key).asks)
      << "\n";
  if (first.key == scenarios::id::ordering) {
    out << left_out_of_traces() << std::flush;
    return;
  }
  const std::string where = first.churn != 0
                                ? concat("ns; on any CPU, ", first.churn, " others asleep, ",
                                         churners::count, " come and go")
                            : of_.pinned_cpu() >= 0 ? concat("ns; alone on CPU ", of_.pinned_cpu())
                                                    : std::string("ns; alone on any CPU");
  out << absl::StrFormat("%-*s", static_cast<int>(name_width_), where);
  if (first.kind != row_kind::pair) out << absl::StrFormat(" %9s", "each");
  for (const column& c : columns_of(first)) out << absl::StrFormat(" %9s", c.title);
  out << "\n" << std::flush;
}

void table_reporter::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    const row* const of = of_.find(run.run_name.function_name);
    if (of == nullptr || run.run_type != Run::RT_Iteration) continue;
    result r{of, run.counters, run.report_label, run.error_occurred ? run.error_message : ""};
    const bool goes_on = previous_ != nullptr && previous_->key == of->key &&
                         (previous_->kind == row_kind::pair) == (of->kind == row_kind::pair);
    if (!goes_on) print_columns(*of);
    previous_ = of;
    print(r);
    results_.push_back(std::move(r));
  }
}

void table_reporter::print(const result& r) {
  std::ostream& out = GetOutputStream();
  out << absl::StrFormat("%-*s", static_cast<int>(name_width_), r.of->name);
  if (!r.error.empty()) {
    out << " FAILED " << r.error << "  " << r.label << "\n" << std::flush;
    return;
  }
  if (r.label.starts_with(absent_prefix)) {
    out << "  " << r.label << "\n" << std::flush;
    return;
  }
  if (r.of->key != scenarios::id::ordering) print_figures(r);
  out << "  " << r.label << " lost=" << r.value("lost") << "\n" << std::flush;
}

void table_reporter::print_figures(const result& r) {
  std::ostream& out = GetOutputStream();
  if (r.of->kind != row_kind::pair) out << ' ' << figure(r.value("ns"), 9);
  for (const column& c : columns_of(*r.of)) {
    const bool is_ratio = r.of->kind == row_kind::pair && c.title.find("ns") == c.title.npos;
    out << ' '
        << (is_ratio ? absl::StrFormat("%9.3f", r.value(c.counter))
                     : figure(r.value(c.counter), 9));
  }
}

void table_reporter::Finalize() {
  std::ostream& out = GetOutputStream();
  if (of_.asked.canaries) return;
  out << "\n" << closing_table(results_, of_.asked.smoke);
  const double steal = scenarios::steal_percent(steal_before_, scenarios::cpu_times_now());
  if (steal >= 0.1) {
    out << absl::StrFormat("Other guests of this host took %.1f %% of the CPU time meanwhile.\n",
                           steal);
  }
  for (const result& r : results_) {
    if (r.error.empty()) continue;
    out << "FAILED " << r.of->name << ": " << r.error
        << "\n  again: bench_threadref --benchmark_filter='^" << r.of->name << "$'\n";
  }
  out << std::flush;
}

}  // namespace threadref::bench
