// SPDX-License-Identifier: MIT
#include "bench/harness/canaries.hpp"

#include <absl/strings/str_format.h>

#include <string>

#include "bench/subjects/subject_code.hpp"
#include "testing/check.hpp"
#include "threadref/backend.hpp"

namespace threadref::bench {

namespace {

bool is_caught(const session& session, const backend_info& canary) {
  const std::string name(canary.name);
  absl::PrintF("%s (%s): ", name, canary.summary);
  const auto found = session.faults().find(name);
  const bool caught = found != session.faults().end();
  if (caught) {
    const verdict& v = found->second;
    absl::PrintF("caught in %d rows: lost %d, doubled %d, misordered %d\n",
                 session.rows_caught().at(name), v.lost, v.doubled, v.misordered);
  } else {
    absl::PrintF("NOT CAUGHT\n");
  }
  return caught;
}

}  // namespace

int judge_canaries(const session& session) {
  int status = testing::status_fine;
  absl::PrintF("\n");
  for (const subject_code* canary : all_canaries()) {
    if (!is_caught(session, *canary->info)) status = testing::status_canary_missed;
  }
  return status;
}

}  // namespace threadref::bench
