// SPDX-License-Identifier: MIT
// A cell of the guarantee matrix: one event, one mechanism, all conditions, some trials each.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stress/accounting/tally.hpp"
#include "stress/cli/options.hpp"
#include "stress/cli/report.hpp"
#include "stress/matrix/runner/trial.hpp"

namespace threadref::stress {

struct condition_result {
  std::string_view name;
  outcome is = outcome::unknown;  // of its trials, the worst
  std::string why;
  int trials = 0;
  int trials_so = 0;  // how many trials had that outcome
  callback_counts callbacks;
  std::string output;  // what the child printed in the first such trial
};

struct event_cell {
  const event* what = nullptr;
  const participant* subject = nullptr;
  std::vector<condition_result> conditions;
  outcome is = outcome::unknown;
  std::string why;  // unless guaranteed: what happened, under which conditions
  verdict judged = verdict::unknown;
  std::string_view promise;  // the outcome that it must have; "": it is not judged
  std::string again;         // the command that reruns it
  double seconds = 0;
};

// Why the cell can't be run here; "": it can.
std::string_view why_not_run(const event& e, const participant& p, const mechanism* m);

// The deviation from the event's promise that the back end declares; null: none.
const deviation* declared_deviation(const event_cell& c);

// Sums up all conditions: the outcome, why, and the verdict. A peer is shown and not judged: it
// passes unless its outcome is unknown.
void sum_up(event_cell& c);

struct matrix_result {
  std::uint64_t seed = 0;
  int trials = 0;
  std::vector<participant> participants;
  std::vector<event_cell> cells;  // event by event
  bool interrupted = false;
  double seconds = 0;
};

std::string cell_name(const event& e, const participant& p);

// The cells that the command line selects; empty: nothing matched. The participants must outlive
// the cells.
std::vector<event_cell> select_events(const options& o,
                                      const std::vector<participant>& participants);

// Runs them, as many at once as there are processors.
matrix_result run_matrix(const options& o, const std::string& program_path,
                         const std::vector<participant>& participants,
                         std::vector<event_cell> cells, std::uint64_t seed);

}  // namespace threadref::stress
