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

#include "stress/engine/hang_detector.hpp"
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
    // The file is all zeros, which is what a new record is. Constructing one would touch every
    // page.
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

// Starts the child in a process group of its own, so that what it forks can be killed with it. No
// signal is blocked, and its output goes to a file.
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
  if (plan.kill_child) command.emplace_back("--plant=killed_child");
  // Events leave threads alive when the process ends, on purpose: they, and what they hold, are no
  // leaks.
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

struct process_end {
  outcome is = outcome::guaranteed;
  std::string why;
};

process_end judge_end(const announced_end& announced, int status) {
  if (WIFSIGNALED(status)) {
    const int by = WTERMSIG(status);
    if (by == announced.signal.load()) return {};
    if (testing::is_crash(by))
      return {outcome::crashes, testing::concat("signal ", by, ", ", strsignal(by))};
    return {outcome::unknown, testing::concat("its child was killed from outside by signal ", by)};
  }
  if (announced.signal.load() != 0)
    return {outcome::crashes,
            testing::concat("it should have died by signal ", announced.signal.load())};
  if (WEXITSTATUS(status) == announced.status.load()) return {};
  return {outcome::crashes, testing::concat("exit status ", WEXITSTATUS(status))};
}

enum class fate {
  exempt,  // it need not run, and did not: removed in time, or cut off before end_attach()
  once,
  refused,
  lost,
  misplaced,
  doubled,
};

fate fate_of(const registration& r) {
  const unsigned ran = r.ran.load();
  const unsigned ran_in_fork = r.ran_in_fork.load();
  const unsigned expected_in_fork = r.expected_in_fork.load() ? 1 : 0;
  switch (r.status.load()) {
    case registration_status::removed:
      return ran == 0 ? fate::exempt : fate::doubled;
    case registration_status::refused:
      return ran == 0 ? fate::refused : fate::doubled;
    case registration_status::unconfirmed:
      if (ran == 0 && ran_in_fork == 0) return fate::exempt;
      break;  // it ran, so it must have been accepted
    case registration_status::accepted:
      break;
  }
  if (ran > 1 || ran_in_fork > expected_in_fork) return fate::doubled;
  if (ran == 0 || ran_in_fork < expected_in_fork) return fate::lost;
  if (r.on_other_thread.load() || r.after_join.load()) return fate::misplaced;
  return fate::once;
}

// Counts it, and returns the outcome of a trial in which all callbacks have that fate.
outcome count(callback_counts& counts, fate f) {
  switch (f) {
    case fate::exempt:
      return outcome::guaranteed;
    case fate::once:
      ++counts.once;
      return outcome::guaranteed;
    case fate::refused:
      ++counts.refused;
      return outcome::refused;
    case fate::lost:
      ++counts.lost;
      return outcome::lost;
    case fate::misplaced:
      ++counts.misplaced;
      return outcome::misplaced;
    case fate::doubled:
      ++counts.doubled;
      return outcome::doubled;
  }
  return outcome::unknown;
}

}  // namespace

void callback_counts::add(const callback_counts& other) noexcept {
  once += other.once;
  refused += other.refused;
  lost += other.lost;
  misplaced += other.misplaced;
  doubled += other.doubled;
}

trial_result grade(const event_record& left, int status) {
  trial_result r;
  process_end end = judge_end(left.end, status);
  if (left.absent.load() && end.is == outcome::guaranteed)
    return {.is = outcome::absent, .callbacks = {}, .why = left.message.data(), .output = {}};
  r.why = std::move(end.why);
  r.is = end.is;
  const std::size_t used = std::min<std::size_t>(left.used.load(), event_record::max_registrations);
  for (std::size_t i = 0; i != used; ++i)
    r.is = worse(r.is, count(r.callbacks, fate_of(left.registrations[i])));
  if (left.misordered.load()) r.is = worse(r.is, outcome::misordered);
  if (left.grows.load()) r.is = worse(r.is, outcome::grows);
  if (left.violations.load() != 0) {
    r.is = worse(r.is, outcome::corrupts);
    if (r.why.empty()) r.why = left.message.data();
  }
  if (used == 0 && r.is == outcome::guaranteed) {
    r.is = outcome::unknown;
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
  // Killed before the child is reaped: until then no other group can have this number.
  kill(-child, SIGKILL);
  int status = 0;
  THREADREF_CHECK_ERRNO(waitpid(child, &status, 0) == child, "waitpid");
  trial_result r = grade(shared.record(), status);
  if (!hangs.empty()) {
    r.is = outcome::hangs;
    r.why = hangs;
  }
  r.output = content_of(output.fd());
  return r;
}

}  // namespace threadref::stress
