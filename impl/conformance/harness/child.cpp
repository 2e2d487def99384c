// SPDX-License-Identifier: MIT
#include "conformance/harness/child.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "conformance/harness/suite.hpp"
#include "testing/check.hpp"
#include "testing/child_process.hpp"
#include "testing/destructor_work.hpp"
#include "testing/memory_file.hpp"

namespace threadref::conformance {

namespace {

struct scenario {
  std::string name;  // <check>/<back end>
  const subject& of;
  scenario_function run;
};

// Filled by static initialisers; never destroyed, since scenarios end the process anywhere.
std::vector<scenario>& all_scenarios() {
  static auto* const all = new std::vector<scenario>;
  return *all;
}

constexpr const char* this_program = "/proc/self/exe";
constexpr std::string_view child_argument = "--child=";
constexpr std::string_view ledger_argument = "--ledger=";

std::string content_of(int fd) {
  const off_t size = lseek(fd, 0, SEEK_END);
  THREADREF_CHECK_ERRNO(size >= 0, "lseek");
  std::string text(static_cast<std::size_t>(size), '\0');
  THREADREF_CHECK_ERRNO(pread(fd, text.data(), text.size(), 0) == size, "pread");
  return text;
}

// A child never unmaps it: threads may write while the process ends.
ledger* map_ledger(int fd) {
  void* const at = mmap(nullptr, sizeof(ledger), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  THREADREF_CHECK_ERRNO(at != MAP_FAILED, "mmap");
  return static_cast<ledger*>(at);
}

// Starts it in a process group of its own, so that processes that it forks can be killed with it.
pid_t spawn(const std::string& name, int ledger_fd, int output_fd) {
  posix_spawnattr_t attributes{};
  THREADREF_CHECK_CALL(posix_spawnattr_init(&attributes));
  THREADREF_CHECK_CALL(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP));
  THREADREF_CHECK_CALL(posix_spawnattr_setpgroup(&attributes, 0));
  posix_spawn_file_actions_t files{};
  THREADREF_CHECK_CALL(posix_spawn_file_actions_init(&files));
  THREADREF_CHECK_CALL(posix_spawn_file_actions_adddup2(&files, output_fd, STDOUT_FILENO));
  THREADREF_CHECK_CALL(posix_spawn_file_actions_adddup2(&files, output_fd, STDERR_FILENO));
  // Under an emulator, the kernel can't start this program again by itself.
  const char* const emulator = std::getenv("THREADREF_EMULATOR");
  std::vector<std::string> command;
  if (emulator != nullptr) command.emplace_back(emulator);
  command.push_back(std::filesystem::read_symlink(this_program).string());
  command.push_back(std::string(child_argument) + name);
  command.push_back(std::string(ledger_argument) + std::to_string(ledger_fd));
  // Threads that live when the process ends, and what they hold, are no leaks here: the checks are
  // about them.
  std::vector<std::string> environment = testing::environment_with(
      {{"TSAN_OPTIONS", "report_thread_leaks=0"}, {"ASAN_OPTIONS", "detect_leaks=0"}});
  pid_t child = 0;
  THREADREF_CHECK_CALL(posix_spawnp(&child, emulator != nullptr ? emulator : this_program, &files,
                                    &attributes, testing::pointers(command).data(),
                                    testing::pointers(environment).data()));
  THREADREF_CHECK_CALL(posix_spawn_file_actions_destroy(&files));
  THREADREF_CHECK_CALL(posix_spawnattr_destroy(&attributes));
  return child;
}

std::string how_of(int status) {
  return WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                             : "status " + std::to_string(WEXITSTATUS(status));
}

// SIGKILL, since SIGTERM does not end a process that hangs at its end under ThreadSanitizer. The
// child is not reaped before, so that no other group can have its number.
std::string wait_for(pid_t child) {
  deadline end([child] { return testing::cpu_time_of_group(child); });
  bool ended = false;
  do {
    ended = testing::ends_within(child, static_cast<int>(deadline::step().count()));
  } while (!ended && !end.is_over());
  kill(-child, SIGKILL);
  int status = 0;
  THREADREF_CHECK_ERRNO(waitpid(child, &status, 0) == child, "waitpid");
  return ended ? how_of(status) : "no end in time";
}

// These objects are constructed before all others, the library's included, and so are destroyed
// last: after the exit stage.
[[gnu::init_priority(101)]] testing::destructor_work at_the_very_end;
[[gnu::init_priority(102)]] testing::destructor_work after_the_stage;

}  // namespace

void ledger::note(const char* what) noexcept {
  const std::uint32_t at = used_.fetch_add(1);
  if (at >= entries_.size()) return;  // the parent reports it
  entry& e = entries_[at];
  e.pid = getpid();
  e.tid = gettid();
  std::string_view(what).copy(e.what, sizeof e.what - 1);
  e.written.store(true);
}

void ledger::note(const char* what, std::uint64_t number) noexcept {
  char text[sizeof entry::what];
  std::snprintf(text, sizeof text, "%s %llu", what, static_cast<unsigned long long>(number));
  note(text);
}

void ledger::close_account(bool forked, const counters& all) noexcept {
  if (!forked) {
    own_ = all;
  } else if (!has_fork_.exchange(true)) {
    of_fork_ = all;
  }
}

std::vector<const ledger::entry*> ledger::entries() const {
  const std::size_t used = used_.load();
  THREADREF_CHECK(used <= entries_.size(), "a scenario notes more than its ledger can hold");
  std::vector<const entry*> all;
  for (std::size_t i = 0; i != used; ++i) {
    if (entries_[i].written.load()) all.push_back(&entries_[i]);
  }
  return all;
}

outcome play(const backend_info& b) {
  const testing::memory_file shared("threadref_ledger", sizeof(ledger));
  const testing::memory_file output("threadref_output");
  const std::string check = ::testing::UnitTest::GetInstance()->current_test_info()->name();
  outcome end;
  end.pid = spawn(check + "/" + std::string(b.name), shared.fd(), output.fd());
  end.how = wait_for(end.pid);
  end.output = content_of(output.fd());
  ledger* const theirs = map_ledger(shared.fd());
  for (const ledger::entry* e : theirs->entries()) {
    end.trace.push_back(std::string(e->pid == end.pid ? "" : "fork: ") + e->what +
                        (e->tid == e->pid ? "@main" : "@thread"));
  }
  end.stats = theirs->account();
  end.stats_of_fork = theirs->account_of_fork();
  munmap(theirs, sizeof(ledger));
  return end;
}

std::size_t count(const outcome& end, std::string_view what) {
  return static_cast<std::size_t>(std::count(end.trace.begin(), end.trace.end(), what));
}

names trace_of(const outcome& end, process p) {
  const bool forked = p == process::forked;
  constexpr std::string_view mark = "fork: ";
  names all;
  for (const std::string& n : end.trace) {
    if (n.starts_with(mark) == forked) all.push_back(forked ? n.substr(mark.size()) : n);
  }
  return all;
}

void expect_accounted(const counters& all, std::uint64_t pending) {
  EXPECT_NE(all.registered, 0U) << "its last destructor did not run";
  expect_one_fate_each(all, pending);
}

void add_scenario(const char* name, const subject& of, scenario_function run) {
  all_scenarios().push_back({std::string(name) + "/" + std::string(of.info.name), of, run});
}

std::optional<int> run_as_child(int argc, char** argv) {
  if (argc != 3) return std::nullopt;
  std::string_view name = argv[1];
  std::string_view file = argv[2];
  if (!name.starts_with(child_argument) || !file.starts_with(ledger_argument)) return std::nullopt;
  name.remove_prefix(child_argument.size());
  file.remove_prefix(ledger_argument.size());
  int fd = -1;
  std::from_chars(file.data(), file.data() + file.size(), fd);
  for (const scenario& s : all_scenarios()) {
    if (s.name != name) continue;
    // The child must not outlive a parent that is killed; and an abort must leave no core file.
    THREADREF_CHECK_ERRNO(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "prctl");
    const rlimit none{};
    THREADREF_CHECK_ERRNO(setrlimit(RLIMIT_CORE, &none) == 0, "setrlimit");
    ledger* const out = map_ledger(fd);
    s.of.select();
    at_the_very_end.work = [out, child = getpid(), stats_of = s.of.stats] {
      out->close_account(getpid() != child, stats_of());
    };
    return s.run(*out);
  }
  std::fprintf(stderr, "unknown scenario %.*s\n", static_cast<int>(name.size()), name.data());
  return testing::status_wrong_use;
}

void run_after_the_stage(std::function<void()> work) {
  after_the_stage.work = std::move(work);
}

void block_for_ever() {
  for (;;) pause();
}

pid_t checked_fork() {
  const pid_t made = fork();
  THREADREF_CHECK_ERRNO(made >= 0, "fork");
  return made;
}

std::string wait_for_fork(pid_t child) {
  int status = 0;
  THREADREF_CHECK_ERRNO(waitpid(child, &status, 0) == child, "waitpid");
  return how_of(status);
}

}  // namespace threadref::conformance
