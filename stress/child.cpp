// SPDX-License-Identifier: MIT
#include "child.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <utility>

#include "patience.hpp"
#include "scenarios/check.hpp"
#include "scenarios/child_process.hpp"
#include "text.hpp"

namespace threadref::stress {

namespace {

// The minder blocks some signals in all our threads; the child shall begin as we did.
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

// The child's status; `killed_by_us`: it hangs.
int wait_for(pid_t child, bool& killed_by_us) {
  killed_by_us = !wait_for_end(child, {}).empty();
  if (killed_by_us) kill(child, SIGKILL);
  int status = 0;
  THREADREF_CHECK_ERRNO(waitpid(child, &status, 0) == child, "waitpid");
  return status;
}

}  // namespace

pid_t start_child(std::vector<std::string> command) {
  // ThreadSanitizer calls workers that live when the process ends a leak of threads: here they are
  // the question.
  std::vector<std::string> environment =
      scenarios::environment_with({{"TSAN_OPTIONS", "report_thread_leaks=0"}});
  const spawn_attributes attributes;
  pid_t child = 0;
  THREADREF_CHECK_CALL(posix_spawn(&child, "/proc/self/exe", nullptr, attributes.get(),
                                   scenarios::pointers(command).data(),
                                   scenarios::pointers(environment).data()));
  return child;
}

void play_child(round& r, std::string_view if_never_ran) {
  const auto finalizers = static_cast<std::size_t>(r.finalizers);
  const scenarios::memory_file memory("threadref_ledger",
                                      r.size() * (sizeof(record) + finalizers * sizeof(entry)));
  std::vector<std::string> command = r.child;
  command.push_back(text("--seed=", r.seed));
  command.push_back(text("--threads=", r.threads));
  command.push_back(text("--finalizers=", r.finalizers));
  command.push_back(text("--child_ledger=", memory.fd()));
  const pid_t child = start_child(std::move(command));
  bool hangs = false;
  const int status = wait_for(child, hangs);
  if (WIFSIGNALED(status) && !hangs && !scenarios::is_crash(WTERMSIG(status))) {
    r.figures.killed_from_outside = true;
    r.figures.note(text(r.cell, ": its child was killed from outside by signal ", WTERMSIG(status),
                        "; nothing is known"));
    return;
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    r.figures.seen.add("child_failed", 1);
    r.figures.note(text(r.cell, ": its child ",
                        hangs                 ? "hangs"
                        : WIFSIGNALED(status) ? text("ended by signal ", WTERMSIG(status))
                                              : text("ended with status ", WEXITSTATUS(status))));
  }
  ledger theirs(r.size(), finalizers, memory.fd());
  r.figures.finalizers_run += theirs.sum().ran_at_exit;
  theirs.settle(r.figures.seen, if_never_ran);
}

}  // namespace threadref::stress
