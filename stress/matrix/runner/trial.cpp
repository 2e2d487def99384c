// SPDX-License-Identifier: MIT
#include "stress/matrix/runner/trial.hpp"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <vector>

#include "stress/engine/patience.hpp"
#include "stress/matrix/child/run_event.hpp"
#include "stress/matrix/model/participants.hpp"
#include "testing/check.hpp"
#include "testing/child_process.hpp"
#include "testing/memory_file.hpp"
#include "testing/text.hpp"

namespace threadref::stress {

namespace {

class mapped_record {
 public:
  mapped_record() : file_("threadref_event_record", sizeof(event_record)) {
    void* const at =
        mmap(nullptr, sizeof(event_record), PROT_READ | PROT_WRITE, MAP_SHARED, file_.fd(), 0);
    THREADREF_CHECK_ERRNO(at != MAP_FAILED, "mmap of the event record");
    // A file of zeros is what a new one is; constructing it would touch every page.
    record_ = static_cast<event_record*>(at);
  }
  ~mapped_record() { munmap(record_, sizeof(event_record)); }
  mapped_record(const mapped_record&) = delete;
  mapped_record& operator=(const mapped_record&) = delete;
  [[nodiscard]] int fd() const noexcept { return file_.fd(); }
  [[nodiscard]] const event_record& record() const noexcept { return *record_; }

 private:
  testing::memory_file file_;
  event_record* record_;
};

// In a group of its own, so that what it forks can be ended with it; with no signal blocked, and
// its output in a file.
pid_t spawn(const trial_plan& plan, int record_fd, int output_fd) {
  posix_spawnattr_t attributes{};
  sigset_t none;
  sigemptyset(&none);
  THREADREF_CHECK_CALL(posix_spawnattr_init(&attributes));
  THREADREF_CHECK_CALL(posix_spawnattr_setsigmask(&attributes, &none));
  THREADREF_CHECK_CALL(
      posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK));
  posix_spawn_file_actions_t files{};
  THREADREF_CHECK_CALL(posix_spawn_file_actions_init(&files));
  THREADREF_CHECK_CALL(posix_spawn_file_actions_adddup2(&files, output_fd, STDOUT_FILENO));
  THREADREF_CHECK_CALL(posix_spawn_file_actions_adddup2(&files, output_fd, STDERR_FILENO));
  std::vector<std::string> command{
      "stress_threadref",
      testing::concat("--act=", trial_name(plan.what->name, plan.subject->name, plan.condition)),
      testing::concat("--child_ledger=", record_fd), testing::concat("--seed=", plan.seed)};
  if (plan.smoke) command.emplace_back("--smoke");
  if (plan.kill_it) command.emplace_back("--plant=killed_child");
  // Threads that live when the process ends, and what they hold, are the question and no leaks.
  std::vector<std::string> environment = testing::environment_with(
      {{"TSAN_OPTIONS", "report_thread_leaks=0"}, {"ASAN_OPTIONS", "detect_leaks=0"}});
  if (const std::string_view load = plan.what->conditions[plan.condition].preload; !load.empty())
    environment.push_back(testing::concat(
        "LD_PRELOAD=", load[0] == '@' ? beside_program(load.substr(1)) : std::string(load)));
  pid_t child = 0;
  THREADREF_CHECK_CALL(posix_spawn(&child, "/proc/self/exe", &files, &attributes,
                                   testing::pointers(command).data(),
                                   testing::pointers(environment).data()));
  THREADREF_CHECK_CALL(posix_spawn_file_actions_destroy(&files));
  THREADREF_CHECK_CALL(posix_spawnattr_destroy(&attributes));
  return child;
}

std::string content_of(int fd) {
  constexpr off_t enough = off_t{64} * 1024;
  const off_t size = std::min(lseek(fd, 0, SEEK_END), enough);
  THREADREF_CHECK_ERRNO(size >= 0, "lseek");
  std::string all(static_cast<std::size_t>(size), '\0');
  THREADREF_CHECK_ERRNO(pread(fd, all.data(), all.size(), 0) == size, "pread");
  return all;
}

struct end_of_process {
  word is = word::guaranteed;
  std::string why;
};

end_of_process judge_end(const announced_end& meant, int status) {
  if (WIFSIGNALED(status)) {
    const int by = WTERMSIG(status);
    if (by == meant.signal.load()) return {};
    if (testing::is_crash(by))
      return {word::crashes, testing::concat("signal ", by, ", ", strsignal(by))};
    return {word::unknown, testing::concat("its child was killed from outside by signal ", by)};
  }
  if (meant.signal.load() != 0)
    return {word::crashes, testing::concat("it should have died by signal ", meant.signal.load())};
  if (WEXITSTATUS(status) == meant.status.load()) return {};
  return {word::crashes, testing::concat("exit status ", WEXITSTATUS(status))};
}

word fate_of(const registration& l, fates& count) {
  const unsigned ran = l.ran.load();
  const unsigned in_fork = l.ran_in_fork.load();
  switch (l.status.load()) {
    case registration_status::unconfirmed:  // cut off while it registered, or else it may be lost
      if (ran == 0 && in_fork == 0) return word::guaranteed;
      break;
    case registration_status::refused:
      ++(ran == 0 ? count.refused : count.doubled);
      return ran == 0 ? word::refused : word::doubled;
    case registration_status::removed:
      if (ran == 0) return word::guaranteed;
      ++count.doubled;
      return word::doubled;
    case registration_status::accepted:
      break;
  }
  if (ran > 1 || in_fork > (l.expected_in_fork.load() ? 1U : 0U)) {
    ++count.doubled;
    return word::doubled;
  }
  if (ran == 0 || (l.expected_in_fork.load() && in_fork == 0)) {
    ++count.lost;
    return word::lost;
  }
  if (l.on_other_thread.load() || l.after_join.load()) {
    ++count.misplaced;
    return word::misplaced;
  }
  ++count.once;
  return word::guaranteed;
}

}  // namespace

void fates::add(const fates& other) noexcept {
  once += other.once;
  refused += other.refused;
  lost += other.lost;
  misplaced += other.misplaced;
  doubled += other.doubled;
}

trial_result grade(const event_record& left, int status) {
  trial_result r;
  end_of_process end = judge_end(left.end, status);
  if (left.absent.load() && end.is == word::guaranteed)
    return {.is = word::absent, .callbacks = {}, .why = left.message.data(), .said = {}};
  r.why = std::move(end.why);
  r.is = end.is;
  const std::size_t used = std::min<std::size_t>(left.used.load(), event_record::max_registrations);
  for (std::size_t i = 0; i != used; ++i)
    r.is = worse(r.is, fate_of(left.registrations[i], r.callbacks));
  if (left.misordered.load()) r.is = worse(r.is, word::misordered);
  if (left.grows.load()) r.is = worse(r.is, word::grows);
  if (left.violations.load() != 0) {
    r.is = worse(r.is, word::corrupts);
    if (r.why.empty()) r.why = left.message.data();
  }
  if (used == 0 && r.is == word::guaranteed) {
    r.is = word::unknown;
    r.why = "nothing was registered";
  }
  return r;
}

trial_result run_trial(const trial_plan& plan) {
  const mapped_record shared;
  const testing::memory_file output("threadref_output");
  const pid_t child = spawn(plan, shared.fd(), output.fd());
  const std::string_view hangs =
      wait_for_end(child, {.cpu_seconds = plan.what->cpu_seconds_given * slower_under_sanitizers});
  // Not reaped before, so that its group's number is nobody else's.
  kill(-child, SIGKILL);
  int status = 0;
  THREADREF_CHECK_ERRNO(waitpid(child, &status, 0) == child, "waitpid");
  trial_result r = grade(shared.record(), status);
  if (!hangs.empty()) {
    r.is = word::hangs;
    r.why = hangs;
  }
  r.said = content_of(output.fd());
  return r;
}

}  // namespace threadref::stress
