// SPDX-License-Identifier: MIT
#include "canaries.hpp"

#include <absl/strings/str_format.h>

#include <string>
#include <string_view>

#include "scenarios/canaries.hpp"
#include "scenarios/check.hpp"

namespace threadref::bench {

namespace {

// Why the canary's fault is none of what is counted here, if it says so. Its rows run all the same:
// they must be spared then.
template <backend Canary>
constexpr std::string_view why_unseen() {
  if constexpr (requires { Canary::unseen_by_bench; }) {
    return Canary::unseen_by_bench;
  } else {
    return {};
  }
}

bool is_as_it_should_be(const session& all, const backend_info& canary, std::string_view unseen) {
  const std::string name(canary.name);
  absl::PrintF("%s (%s): ", name, canary.summary);
  const auto found = all.faults().find(name);
  const bool caught = found != all.faults().end();
  if (caught) {
    const verdict& v = found->second;
    absl::PrintF("caught in %d rows: lost %d, doubled %d, misordered %d\n",
                 all.rows_caught().at(name), v.lost, v.doubled, v.misordered);
  } else {
    absl::PrintF("%s\n", unseen.empty() ? "NOT CAUGHT" : "spared");
  }
  if (!unseen.empty()) {
    absl::PrintF("  %s: %s\n", caught ? "BLAMED WHERE IT HAS NO PART" : "not bench's", unseen);
  }
  return caught == unseen.empty();
}

}  // namespace

int judge_canaries(const session& all) {
  int status = scenarios::status_fine;
  absl::PrintF("\n");
  for_each_type(canaries{}, [&]<backend Canary>() {
    if (!is_as_it_should_be(all, Canary::info, why_unseen<Canary>()))
      status = scenarios::status_canary_missed;
  });
  return status;
}

}  // namespace threadref::bench
