// SPDX-License-Identifier: MIT
#include "stress/matrix/child/run_event.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <csignal>
#include <optional>

#include "stress/matrix/model/event.hpp"
#include "stress/matrix/model/participants.hpp"
#include "testing/check.hpp"
#include "testing/text.hpp"

namespace threadref::stress {

namespace {

// Never unmapped: threads may still write while the process ends.
event_record& map_record(int fd) {
  void* const at = mmap(nullptr, sizeof(event_record), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  THREADREF_CHECK_ERRNO(at != MAP_FAILED, "mmap of the event record");
  return *static_cast<event_record*>(at);
}

// If the harness is killed, its children must die, too. A crash here is an outcome, so it leaves no
// core file.
void limit_child_process() {
  THREADREF_CHECK_ERRNO(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "prctl(PR_SET_PDEATHSIG)");
  const rlimit none{0, 0};
  THREADREF_CHECK_ERRNO(setrlimit(RLIMIT_CORE, &none) == 0, "setrlimit(RLIMIT_CORE)");
}

// Never destroyed: callbacks may need it after everything else.
const mechanism& subject_of(const event& e, const std::string& name) {
  if (!e.loads_itself) return mechanism_of(name);
  return *new mechanism{.name = *new std::string(name), .attach = nullptr};
}

}  // namespace

std::string trial_name(std::string_view event, std::string_view mechanism, std::size_t condition) {
  return testing::concat(event, "/", mechanism, "/", condition);
}

int run_event(const options& o) {
  limit_child_process();
  const std::size_t last = o.event_trial.rfind('/');
  const std::size_t middle = last == std::string::npos ? last : o.event_trial.rfind('/', last - 1);
  THREADREF_CHECK(middle != std::string::npos, "--act wants <event>/<mechanism>/<number>");
  const std::string name = o.event_trial.substr(0, middle);
  const std::string subject = o.event_trial.substr(middle + 1, last - middle - 1);
  const auto condition = static_cast<std::size_t>(o.event_trial[last + 1] - '0');
  const event* found = nullptr;
  for_each_event([&](const event& e) {
    if (e.name == name) found = &e;
  });
  THREADREF_CHECK(found != nullptr, "--act names no known event");
  auto* const ctx = new event_context(map_record(o.child_ledger), subject_of(*found, subject),
                                      condition, o.seed.value_or(0), o.smoke);
  event_context::set_current(ctx);
  if (o.plant == planted::killed_child) raise(SIGKILL);
  return found->run(*ctx);
}

}  // namespace threadref::stress
