// SPDX-License-Identifier: MIT
// The cells of the scenarios: every row that names tool::stress, times every back end and every
// canary. Only these files instantiate the bodies over the lists of types.
#pragma once

#include <vector>

#include "scenarios/cells.hpp"
#include "stress/engine/round.hpp"

namespace threadref::stress {

struct cell_code {
  scenarios::cell what;
  bool canary = false;
  bool rare = false;  // a canary whose fault shows only once in very many threads
  // How many records the ledger of a round needs.
  std::size_t (*threads_in_all)(const round&) = nullptr;
  // Plays one round, compares the ledger with the library's counters and tallies the outcomes.
  void (*play)(round&, finalizer_ledger&) = nullptr;
  int (*child)(round&, finalizer_ledger&) = nullptr;  // null: no child process
};

std::vector<cell_code> backend_cells();
std::vector<cell_code> canary_cells();

}  // namespace threadref::stress
