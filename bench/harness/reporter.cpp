// SPDX-License-Identifier: MIT
#include "bench/harness/reporter.hpp"

#include <absl/strings/match.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <ostream>

#include "bench/harness/summary.hpp"
#include "bench/order/order_trace.hpp"
#include "scenarios/describe.hpp"
#include "testing/build_info.hpp"
#include "testing/text.hpp"
#include "threadref/config.hpp"

namespace threadref::bench {

namespace {

using scenarios::id;

std::string pinning(const session& session) {
  return session.pinned_cpu() >= 0 ? testing::concat("CPU ", session.pinned_cpu()) : "none";
}

bool is_latency(const row& r) {
  using scenarios::id;
  return r.key == id::exit_solo || r.key == id::exit_mixed || r.key == id::exit_under_churn ||
         absl::EndsWith(testing::to_absl(scenarios::row(r.key).name), "_exit");
}

struct column {
  const char* counter;
  std::string_view title;
  double unit = 1;  // what the counter is divided by
};
constexpr double mib = 1024 * 1024;
std::vector<column> columns_of(const row& r) {
  if (r.kind == row_kind::pair)
    return {
        {"ratio", "B / A"}, {"low", "low"}, {"high", "high"}, {"a_ns", "A ns"}, {"b_ns", "B ns"}};
  if (is_latency(r)) {
    return {{"ns", "each"},       {"ratio", "x floor"},    {"p50", "drain p50"},
            {"p99", "p99"},       {"p999", "p99.9"},       {"total_p50", "total p50"},
            {"total_p99", "p99"}, {"total_p999", "p99.9"}, {"total_ratio", "x floor"}};
  }
  switch (r.key) {
    case id::ordering:
      return {};
    case id::ref_check:
    case id::ref_lock:
      return {{"ns", "each"}, {"ratio", "x floor"}, {"dead_ns", "if dead"}};
    case id::churn_rate:
      return {{"ns", "each"}, {"ratio", "x floor"}, {"threads_per_s", "threads/s"}};
    case id::teardown_serial:
    case id::teardown_serial_waiting:
      return {{"ns", "each"}, {"ratio", "x floor"}, {"p99", "p99"}};
    case id::teardown_broadcast:
    case id::teardown_broadcast_waiting:
      return {{"ns", "each"},
              {"ratio", "x floor"},
              {"p99", "p99"},
              {"serial_ns", "serial"},
              {"serial_ratio", "of that"},
              {"serial_ratio_low", "low"},
              {"serial_ratio_high", "high"}};
    case id::timer_cancel:
    case id::later_cancel:
      return {{"ns", "each"}, {"ratio", "x floor"}, {"joined_ns", "joined"}};
    case id::pool_task:
      return {
          {"ns", "each"}, {"ratio", "x floor"}, {"first_ns", "first"}, {"first_ratio", "x floor"}};
    case id::memory_thread:
    case id::memory_burst:
      return {{"bytes_per_thread", "1st bytes"},   {"bytes_per_finalizer", "each"},
              {"allocations_first", "1st calls"},  {"allocations_each", "each"},
              {"steady_first", "again 1st"},       {"steady_each", "each"},
              {"retained_bytes", "left MiB", mib}, {"retained_resident", "in memory", mib},
              {"trimmed_resident", "trimmed", mib}};
    default:
      return {{"ns", "each"}, {"ns_se", "+-"}, {"ratio", "x floor"}};
  }
}

// The unit of the figures below it, and how they were measured.
std::string heading(const session& session, const row& first) {
  if (first.churn != 0) {
    return testing::concat("ns; on any CPU, ", first.churn, " others asleep, ", churners::count,
                           " come and go");
  }
  if (first.key == id::memory_thread || first.key == id::memory_burst)
    return "bytes and calls for memory; a process each";
  if (first.is_free) return "ns; on all CPUs";
  const std::string_view others = scenarios::row(first.key).parameter == scenarios::alive
                                      ? "ns; the others asleep, on "
                                      : "ns; alone on ";
  return session.pinned_cpu() >= 0 ? testing::concat(others, "CPU ", session.pinned_cpu())
                                   : testing::concat(others, "any CPU");
}

// The limits of this run, if it has any.
std::vector<std::string> warnings(const session& session) {
  std::vector<std::string> all;
  if (session.asked.smoke) all.emplace_back("smoke: too few threads for meaningful figures");
  if (detail::under_tsan || detail::under_asan)
    all.emplace_back("built with a sanitizer: the checks are valid, the figures are not");
  if (testing::this_build().build_type != "Release")
    all.emplace_back("not a Release build: the figures are not those of the library");
  if (!session.room.limit.empty())
    all.push_back(testing::concat("no row has more than ", session.room.threads,
                                  " other threads: more are not possible here (",
                                  session.room.limit, ")"));
  return all;
}

}  // namespace

std::vector<fact> facts(const session& session) {
  const testing::environment& e = session.machine;
  const testing::build_info& b = testing::this_build();
  return {{"machine", e.machine},
          {"cpu", e.cpu},
          {"cores", testing::concat(e.cores_allowed, " of ", e.cores_online)},
          {"memory_mib", testing::concat(e.memory_mib)},
          {"libc", e.libc},
          {"kernel", e.kernel},
          {"allocator", e.allocator},
          {"clock_tick_ns", absl::StrFormat("%.0f", e.clock_tick_ns)},
          {"clock_read_ns", absl::StrFormat("%.1f", e.clock_read_ns)},
          {"pinned_cpu", testing::concat(session.pinned_cpu())},
          {"load", absl::StrFormat("%.2f", e.load)},
          {"steal_percent_since_boot",
           absl::StrFormat("%.2f", testing::steal_percent({}, testing::cpu_times_now()))},
          {"compiler", std::string(b.compiler)},
          {"flags", std::string(b.flags)},
          {"build_type", std::string(b.build_type)},
          {"commit", std::string(b.commit)},
          {"version", std::string(b.version)},
          {"churn_threads", testing::concat(session.churn_threads())},
          {"churn_limit", session.room.limit}};
}

double result::value(const char* counter) const {
  const auto found = counters.find(counter);
  return found != counters.end() ? found->second.value : -1;
}

bool table_reporter::ReportContext(const Context& /*context*/) {
  for (const auto& [name, r] : session_.rows()) name_width_ = std::max(name_width_, name.size());
  print_header();
  progress_.emplace(session_, session_.asked.filter);
  progress_->show();
  return true;
}

void table_reporter::print_header() {
  const testing::environment& e = session_.machine;
  const testing::build_info& b = testing::this_build();
  std::ostream& out = GetOutputStream();
  out << absl::StrFormat("machine  %s (%s), %d of %d cores, %s, %s, malloc of %s\n", e.machine,
                         e.cpu, e.cores_allowed, e.cores_online, e.libc, e.kernel, e.allocator);
  out << absl::StrFormat(
      "clock    ticks in %.0f ns; reading it costs %.1f ns, which is subtracted\n", e.clock_tick_ns,
      e.clock_read_ns);
  out << "pinning  " << pinning(session_) << "; rows with churn on all " << e.cores_allowed
      << " CPUs.  load " << absl::StrFormat("%.2f", e.load) << "\n";
  out << "build    " << b.build_type << ", " << b.compiler << ", commit " << b.commit
      << "  (how Google Benchmark was built does not matter: it times nothing here)\n";
  for (const std::string& w : warnings(session_)) out << "note     " << w << "\n";
  out << std::flush;
}

void table_reporter::print_columns(const row& first) {
  std::ostream& out = GetOutputStream();
  out << "\n"
      << (first.kind == row_kind::pair ? "how much longer does B take than A, in turns with it?"
                                       : scenarios::row(first.key).asks)
      << "\n";
  if (first.key == scenarios::id::ordering) out << missing_events_note();
  const std::vector<column> columns = columns_of(first);
  if (columns.empty()) {
    out << std::flush;
    return;
  }
  out << absl::StrFormat("%-*s", static_cast<int>(name_width_), heading(session_, first));
  for (const column& c : columns) out << absl::StrFormat(" %9s", c.title);
  out << "\n" << std::flush;
}

void table_reporter::ReportRuns(const std::vector<Run>& runs) {
  progress_->clear();
  for (const Run& run : runs) {
    const row* const measured = session_.find(run.run_name.function_name);
    if (measured == nullptr || run.run_type != Run::RT_Iteration) continue;
    progress_->ended(*measured);
    result r{measured, run.counters, run.report_label, run.error_occurred ? run.error_message : ""};
    const bool goes_on = previous_ != nullptr && previous_->key == measured->key &&
                         (previous_->kind == row_kind::pair) == (measured->kind == row_kind::pair);
    if (!goes_on) print_columns(*measured);
    previous_ = measured;
    print(r);
    results_.push_back(std::move(r));
  }
  progress_->show();
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
  print_figures(r);
  out << "  " << r.label << " lost=" << r.value("lost") << "\n" << std::flush;
}

void table_reporter::print_figures(const result& r) {
  std::ostream& out = GetOutputStream();
  for (const column& c : columns_of(*r.of)) {
    const bool is_ratio = r.of->kind == row_kind::pair && c.title.find("ns") == c.title.npos;
    const double value = r.value(c.counter) / c.unit;
    out << ' ' << (is_ratio ? absl::StrFormat("%9.3f", value) : figure(value, 9));
  }
}

void table_reporter::Finalize() {
  progress_->clear();
  std::ostream& out = GetOutputStream();
  if (session_.asked.canaries) return;
  out << "\n"
      << closing_table(results_, session_.asked.smoke) << teardowns(results_, session_.asked.smoke);
  const double steal = testing::steal_percent(steal_before_, testing::cpu_times_now());
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
