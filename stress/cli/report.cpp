// SPDX-License-Identifier: MIT
#include "stress/cli/report.hpp"

#include <absl/strings/str_format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "scenarios/describe.hpp"
#include "stress/engine/clock.hpp"
#include "stress/engine/yields.hpp"
#include "testing/build_info.hpp"
#include "testing/environment.hpp"
#include "testing/text.hpp"

namespace threadref::stress {

namespace {

void put(const std::string& line) {
  std::fputs(line.c_str(), stdout);
}

std::string_view label_of(const cell_result& r) {
  if (r.judged.is == verdict::failed) return r.cell->canary ? "caught" : "FAIL";
  if (r.judged.is == verdict::unknown) return "UNKNOWN";
  return r.judged.interesting ? "interesting" : "passed";
}

std::string slope_of(const cell_result& r) {
  const std::optional<slope> s = r.memory.in_use.fit();
  return s ? absl::StrFormat(" %+.2f B/thread", s->bytes_per_thread) : "";
}

struct sums {
  std::string_view backend;
  double seconds = 0;
  std::uint64_t threads = 0;
  std::uint64_t finalizers = 0;
};

std::vector<sums> by_backend(const run_result& r) {
  std::vector<sums> all;
  for (const cell_result& c : r.cells) {
    const std::string_view name = c.cell->what.subject->name;
    auto it =
        std::find_if(all.begin(), all.end(), [&](const sums& s) { return s.backend == name; });
    if (it == all.end()) it = all.insert(all.end(), sums{name});
    it->seconds += c.seconds;
    it->threads += c.figures.threads_churned;
    it->finalizers += c.figures.finalizers_run;
  }
  return all;
}

}  // namespace

std::string with_commas(std::uint64_t n) {
  std::string digits = testing::concat(n);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

progress::progress() : terminal_(isatty(STDOUT_FILENO) != 0) {}

void progress::show(const std::string& cell, const cell_figures& so_far, std::size_t index,
                    std::size_t total) {
  if (!terminal_ || now() - last_ < 0.2) return;
  last_ = now();
  put(absl::StrFormat("\r\033[K%d/%d %s: %s threads churned, %s finalizers run", index + 1, total,
                      cell, with_commas(so_far.threads_churned),
                      with_commas(so_far.finalizers_run)));
  std::fflush(stdout);
}

void progress::clear() {
  if (terminal_) put("\r\033[K");
}

namespace {

// The weights drawn for this run: how much more or less often than usual each point yields.
std::string weights() {
  std::string all = "yields";
  for (const yields::row& r : yields::report()) {
    if (r.weight != yields::usual_weight)
      all +=
          absl::StrFormat(" %s x%g", r.point, static_cast<double>(r.weight) / yields::usual_weight);
  }
  return all + ", other points x1";
}

}  // namespace

void print_header(const program_info& program, const options& o, std::uint64_t seed) {
  const testing::build_info& b = testing::this_build();
  const testing::environment e = testing::observe_environment();
  const std::string drawn = program.points ? weights() : "no points: the library as it ships";
  put(absl::StrFormat("seed 0x%x  commit %s  %s %s  %d cpus\n", seed, b.commit, b.compiler,
                      b.build_type, e.cores_allowed));
  const std::string size = o.threads == 0 ? "" : testing::concat("  threads=", o.threads);
  const std::string finalizers =
      o.finalizers == 0 ? "" : testing::concat("  finalizers=", o.finalizers);
  put(absl::StrFormat("%s  %s%s%s  %s\n", program.name,
                      o.smoke ? "smoke" : absl::StrFormat("time=%gs", o.seconds), size, finalizers,
                      drawn));
  put(testing::concat(e.cpu, "  ", e.memory_mib, " MiB  ", e.libc, "  ", e.kernel, "\n"));
  std::fflush(stdout);
}

void print_cell(const cell_result& r) {
  put(absl::StrFormat("%-11s %-30s %5d rounds %9s threads (%s alive) %11s finalizers %7.2f s%s\n",
                      label_of(r), scenarios::cell_name(r.cell->what), r.figures.rounds,
                      with_commas(r.figures.threads_churned),
                      with_commas(r.figures.threads_alive_max),
                      with_commas(r.figures.finalizers_run), r.seconds, slope_of(r)));
  std::fflush(stdout);
}

void print_table(const cell_result& r) {
  const std::uint64_t all = std::max<std::uint64_t>(r.figures.seen.sum(), 1);
  put(absl::StrFormat("%s %s   finalizers=%d threads=%d\n",
                      r.judged.is == verdict::failed ? "FAIL" : label_of(r),
                      scenarios::cell_name(r.cell->what), r.finalizers, r.threads));
  put("  OUTCOME              COUNT     FREQ   GRADE        WHY\n");
  for (const graded& g : r.judged.outcomes) {
    put(absl::StrFormat("  %-14s %11s  %5.1f %%   %-12s %s\n", g.name, with_commas(g.count),
                        100.0 * static_cast<double>(g.count) / static_cast<double>(all),
                        scenarios::to_string(g.grade), g.why));
  }
  put(testing::concat("  again: ", r.again, "\n"));
  std::fflush(stdout);
}

void print_summary(const run_result& r) {
  int counts[3] = {};
  std::uint64_t threads = 0;
  std::uint64_t finalizers = 0;
  for (const cell_result& c : r.cells) {
    ++counts[static_cast<int>(c.judged.is)];
    threads += c.figures.threads_churned;
    finalizers += c.figures.finalizers_run;
  }
  put("\n");
  for (const sums& s : by_backend(r)) {
    put(absl::StrFormat("  %-20s %10s threads churned  %12s finalizers run  %6.1f s\n", s.backend,
                        with_commas(s.threads), with_commas(s.finalizers), s.seconds));
  }
  for (const std::string& n : r.notes) put(testing::concat("  note: ", n, "\n"));
  put(absl::StrFormat(
      "%d passed, %d failed, %d unknown; %s threads churned, %s finalizers run in "
      "%.1f s%s\n",
      counts[static_cast<int>(verdict::passed)], counts[static_cast<int>(verdict::failed)],
      counts[static_cast<int>(verdict::unknown)], with_commas(threads), with_commas(finalizers),
      r.seconds, r.interrupted ? "; interrupted: this is the tally so far" : ""));
  std::fflush(stdout);
}

void print_canaries(const run_result& r, const std::vector<std::string_view>& missed) {
  put("\n");
  for (const sums& s : by_backend(r)) {
    std::string caught;
    for (const cell_result& c : r.cells) {
      if (c.cell->what.subject->name != s.backend || c.judged.is != verdict::failed) continue;
      const graded& worst = c.judged.outcomes.front();
      absl::StrAppendFormat(&caught, "%s%s (%s of %s %s, %.2f s)", caught.empty() ? "" : ", ",
                            c.cell->what.row->name, with_commas(worst.count),
                            with_commas(c.figures.seen.sum()), worst.name, c.seconds);
    }
    if (!caught.empty()) put(testing::concat("  ", s.backend, " was caught by ", caught, "\n"));
  }
  for (const std::string_view m : missed) put(testing::concat("  ", m, " WAS NOT CAUGHT\n"));
  put(missed.empty() ? "every canary was caught\n"
                     : testing::concat("missed canaries: ", missed.size(),
                                       "; the results of this program can't be trusted\n"));
  std::fflush(stdout);
}

}  // namespace threadref::stress
