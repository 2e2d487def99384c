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
  word is = word::unknown;  // the worst of its trials
  std::string why;
  int trials = 0;
  int trials_so = 0;  // how many came to that word
  fates callbacks;
  std::string said;  // what the child printed in the first trial of that word
};

struct event_cell {
  const event* what = nullptr;
  const participant* subject = nullptr;
  std::vector<condition_result> conditions;
  word is = word::unknown;
  std::string why;  // of anything but guaranteed: what happened, under which conditions
  verdict judged = verdict::unknown;
  std::string_view promise;  // what it had to be, if it is judged: a word
  std::string again;         // the command that plays it once more
  double seconds = 0;
};

// Why it can't be played here; "": it can.
std::string_view why_not_run(const event& e, const participant& p, const mechanism* m);

// The departure from the event's promise that the back end declares; null: none.
const deviation* declared_deviation(const event_cell& c);

// Of all conditions: one word, why, and the verdict. A peer is shown and not judged: it passes
// whatever it does, unless nothing could be seen.
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

// What the command line selects; empty: nothing matched. The players must outlive the cells.
std::vector<event_cell> select_events(const options& o,
                                      const std::vector<participant>& participants);

// Plays them, as many at once as there are processors.
matrix_result run_matrix(const options& o, const std::string& program_path,
                         const std::vector<participant>& participants,
                         std::vector<event_cell> cells, std::uint64_t seed);

}  // namespace threadref::stress
