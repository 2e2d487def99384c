// SPDX-License-Identifier: MIT
#include "stress/matrix/report/report.hpp"

#include <absl/strings/str_format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "testing/text.hpp"

namespace threadref::stress {

namespace {

constexpr std::size_t few_cells = 60;

void print_condition(const condition_result& r) {
  const callback_counts& f = r.callbacks;
  absl::PrintF("    %-10s %s%s%d of %d trials; callbacks: %s once", to_string(r.is),
               std::string(r.name), r.name.empty() ? "" : ": ", r.trials_so, r.trials,
               with_commas(f.once));
  const std::pair<std::uint64_t, const char*> others[] = {
      {f.refused, "refused"}, {f.lost, "lost"}, {f.misplaced, "misplaced"}, {f.doubled, "doubled"}};
  for (const auto& [count, name] : others) {
    if (count != 0) absl::PrintF(", %s %s", with_commas(count), name);
  }
  absl::PrintF("%s%s\n", r.why.empty() ? "" : "; ", r.why);
}

void print_event_cell(const event_cell& c) {
  const char* sign = c.judged == verdict::failed    ? "FAIL "
                     : c.judged == verdict::unknown ? "???? "
                                                    : "     ";
  absl::PrintF("%s%-14s %-44s %6.2f s  %s\n", sign, to_string(c.is), cell_name(*c.what, *c.subject),
               c.seconds,
               c.is == outcome::guaranteed ? std::string_view{} : std::string_view(c.why));
}

// All details, for a cell that did not pass.
void print_details(const event_cell& c) {
  print_event_cell(c);
  absl::PrintF("    question: %s\n", c.what->asks);
  if (!c.promise.empty()) absl::PrintF("    must be: %s\n", c.promise);
  for (const condition_result& r : c.conditions) {
    print_condition(r);
    if (!r.output.empty()) absl::PrintF("    output: %s\n", r.output);
  }
  absl::PrintF("    again: %s\n", c.again);
}

using outcome_counts = std::map<outcome, int>;

std::string list(const outcome_counts& seen) {
  std::string all;
  for (const auto& [o, n] : seen)
    all += testing::concat(all.empty() ? "" : ", ", n, " ", to_string(o));
  return all;
}

void print_by_event(const matrix_result& r) {
  for (auto from = r.cells.begin(); from != r.cells.end();) {
    const auto to = std::find_if(from, r.cells.end(),
                                 [from](const event_cell& c) { return c.what != from->what; });
    outcome_counts seen;
    std::for_each(from, to, [&seen](const event_cell& c) { ++seen[c.is]; });
    absl::PrintF("%-36s %s\n", from->what->name, list(seen));
    from = to;
  }
}

}  // namespace

matrix_progress::matrix_progress(std::size_t of) : terminal_(isatty(STDOUT_FILENO) != 0), of_(of) {}

matrix_progress::~matrix_progress() {
  if (terminal_) std::fputs("\r\x1b[K", stdout);
}

void matrix_progress::done(const event_cell& c) {
  ++done_;
  if (!terminal_) return;
  absl::PrintF("\r\x1b[K%d/%d  %s", done_, of_, cell_name(*c.what, *c.subject));
  std::fflush(stdout);
}

void print_matrix(const matrix_result& r) {
  const bool few = r.cells.size() <= few_cells;
  if (!few) print_by_event(r);
  outcome_counts all;
  int failed = 0;
  int unknown = 0;
  for (const event_cell& c : r.cells) {
    ++all[c.is];
    failed += c.judged == verdict::failed;
    unknown += c.judged == verdict::unknown;
    if (c.judged != verdict::passed || r.cells.size() == 1) {
      print_details(c);
    } else if (few) {
      print_event_cell(c);
    }
  }
  absl::PrintF("%d cells of the matrix in %.0f s: %s; %d failed, %d unknown\n", r.cells.size(),
               r.seconds, list(all), failed, unknown);
}

}  // namespace threadref::stress
