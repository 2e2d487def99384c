// SPDX-License-Identifier: MIT
// The cells of the stress matrix: every row that names tool::stress, times every back end and every
// canary. Here, and only here, the bodies meet the lists of types.
#pragma once

#include <vector>

#include "scenarios/cells.hpp"
#include "stress/engine/round.hpp"

namespace threadref::stress {

struct cell_code {
  scenarios::cell what;
  bool canary = false;
  bool rare = false;  // a canary whose fault shows once in very many threads
  // How many records a round's ledger needs.
  std::size_t (*threads_in_all)(const round&) = nullptr;
  // Plays one round, compares the ledger with the library's counters and settles it.
  void (*play)(round&, ledger&) = nullptr;
  int (*child)(round&, ledger&) = nullptr;  // null: has none
};

std::vector<cell_code> backend_cells();
std::vector<cell_code> canary_cells();

}  // namespace threadref::stress
