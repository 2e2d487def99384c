// SPDX-License-Identifier: MIT
#include "canaries.hpp"

#include <absl/strings/str_format.h>

#include <string>

#include "scenarios/check.hpp"
#include "scenarios/describe.hpp"

namespace threadref::bench {

int judge_canaries(const session& all) {
  int status = scenarios::status_fine;
  absl::PrintF("\n");
  for (const backend_info* canary : scenarios::all_canaries()) {
    const std::string name(canary->name);
    const auto found = all.faults().find(name);
    if (found == all.faults().end()) {
      absl::PrintF("%s (%s): NOT CAUGHT\n", name, canary->summary);
      status = scenarios::status_canary_missed;
      continue;
    }
    const verdict& v = found->second;
    absl::PrintF("%s (%s): caught in %d rows: lost %d, doubled %d, misordered %d\n", name,
                 canary->summary, all.rows_caught().at(name), v.lost, v.doubled, v.misordered);
  }
  return status;
}

}  // namespace threadref::bench
