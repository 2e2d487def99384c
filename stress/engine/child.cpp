// SPDX-License-Identifier: MIT
#include "stress/engine/child.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <utility>

#include "stress/engine/hang_detector.hpp"
#include "testing/check.hpp"
#include "testing/child_process.hpp"
#include "testing/memory_file.hpp"
#include "testing/text.hpp"

namespace threadref::stress {

namespace {

// The watchdog blocks some signals in all our threads; the child starts with none blocked.
class spawn_attributes {
 public:
  spawn_attributes() {
    sigset_t none;
    sigemptyset(&none);
    THREADREF_CHECK_CALL(posix_spawnattr_init(&attr_));
    THREADREF_CHECK_CALL(posix_spawnattr_setsigmask(&attr_, &none));
    THREADREF_CHECK_CALL(posix_spawnattr_setflags(&attr_, POSIX_SPAWN_SETSIGMASK));
  }
  ~spawn_attributes() { posix_spawnattr_destroy(&attr_); }
  spawn_attributes(const spawn_attributes&) = delete;
  spawn_attributes& operator=(const spawn_attributes&) = delete;
  [[nodiscard]] const posix_spawnattr_t* get() const noexcept { return &attr_; }

 private:
  posix_spawnattr_t attr_{};
};

struct child_end {
  int status = 0;      // as waitpid() returns it
  bool hangs = false;  // so it was killed
};
child_end wait_for(pid_t child) {
  child_end end;
  end.hangs = !wait_for_end(child, {}).empty();
  if (end.hangs) kill(child, SIGKILL);
  THREADREF_CHECK_ERRNO(waitpid(child, &end.status, 0) == child, "waitpid");
  return end;
}

}  // namespace

pid_t start_child(std::vector<std::string> command) {
  // ThreadSanitizer reports workers that are alive when the process ends as leaked threads. Here
  // they are what is tested.
  std::vector<std::string> environment =
      testing::environment_with({{"TSAN_OPTIONS", "report_thread_leaks=0"}});
  const spawn_attributes attributes;
  pid_t child = 0;
  THREADREF_CHECK_CALL(posix_spawn(&child, "/proc/self/exe", nullptr, attributes.get(),
                                   testing::pointers(command).data(),
                                   testing::pointers(environment).data()));
  return child;
}

void play_child(round& r, std::string_view if_never_ran) {
  const auto finalizers = static_cast<std::size_t>(r.finalizers);
  const testing::memory_file memory("threadref_ledger",
                                    r.size() * (sizeof(record) + finalizers * sizeof(entry)));
  std::vector<std::string> command = r.child;
  command.push_back(testing::concat("--seed=", r.seed));
  command.push_back(testing::concat("--threads=", r.threads));
  command.push_back(testing::concat("--finalizers=", r.finalizers));
  command.push_back(testing::concat("--child_ledger=", memory.fd()));
  const pid_t child = start_child(std::move(command));
  const auto [status, hangs] = wait_for(child);
  if (WIFSIGNALED(status) && !hangs && !testing::is_crash(WTERMSIG(status))) {
    r.figures.killed_from_outside = true;
    r.figures.note(testing::concat(r.cell, ": its child was killed from outside by signal ",
                                   WTERMSIG(status), "; the outcome is unknown"));
    return;
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    r.figures.seen.add("child_failed", 1);
    r.figures.note(testing::concat(
        r.cell, ": its child ",
        hangs                 ? "hangs"
        : WIFSIGNALED(status) ? testing::concat("ended by signal ", WTERMSIG(status))
                              : testing::concat("ended with status ", WEXITSTATUS(status))));
  }
  finalizer_ledger theirs(r.size(), finalizers, memory.fd());
  r.figures.finalizers_run += theirs.sum().ran_at_exit;
  theirs.tally_outcomes(r.figures.seen, if_never_ran);
}

}  // namespace threadref::stress
