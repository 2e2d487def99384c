// SPDX-License-Identifier: MIT
#include "child.hpp"

#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "scenarios/check.hpp"
#include "text.hpp"
#include "threadref/config.hpp"

namespace threadref::stress {

namespace {

constexpr int milliseconds_given = detail::under_tsan || detail::under_asan ? 60'000 : 30'000;

// Inherited: no MFD_CLOEXEC.
class memory_file {
 public:
  explicit memory_file(std::size_t bytes) : fd_(memfd_create("threadref_ledger", 0)) {
    THREADREF_CHECK_ERRNO(fd_ >= 0, "memfd_create");
    THREADREF_CHECK_ERRNO(ftruncate(fd_, static_cast<off_t>(bytes)) == 0, "ftruncate");
  }
  ~memory_file() { close(fd_); }
  memory_file(const memory_file&) = delete;
  memory_file& operator=(const memory_file&) = delete;
  [[nodiscard]] int fd() const noexcept { return fd_; }

 private:
  int fd_;
};

// ThreadSanitizer calls workers that live when the process ends a leak of threads: here they are
// the question.
std::vector<std::string> environment_of_child() {
  constexpr std::string_view tsan = "TSAN_OPTIONS=";
  std::vector<std::string> all;
  std::string options(tsan);
  for (char** e = environ; *e != nullptr; ++e) {
    if (std::string_view(*e).substr(0, tsan.size()) == tsan) {
      options = text(*e, ":");
    } else {
      all.emplace_back(*e);
    }
  }
  all.push_back(text(options, "report_thread_leaks=0"));
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> all;
  all.reserve(strings.size() + 1);
  for (std::string& s : strings) all.push_back(s.data());
  all.push_back(nullptr);
  return all;
}

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

// The child's status; `killed_by_us`: it took too long.
int wait_for(pid_t child, bool& killed_by_us) {
  pollfd watched{static_cast<int>(syscall(SYS_pidfd_open, child, 0)), POLLIN, 0};
  THREADREF_CHECK_ERRNO(watched.fd >= 0, "pidfd_open");
  int ready = 0;
  do {
    ready = poll(&watched, 1, milliseconds_given);
  } while (ready < 0 && errno == EINTR);
  close(watched.fd);
  killed_by_us = ready == 0;
  if (killed_by_us) kill(child, SIGKILL);
  int status = 0;
  THREADREF_CHECK_ERRNO(waitpid(child, &status, 0) == child, "waitpid");
  return status;
}

bool crashed(int signal) {
  return signal == SIGSEGV || signal == SIGBUS || signal == SIGABRT || signal == SIGILL ||
         signal == SIGFPE || signal == SIGSYS;
}

}  // namespace

void play_child(round& r, std::string_view if_never_ran) {
  const auto finalizers = static_cast<std::size_t>(r.finalizers);
  const memory_file memory(r.size() * (sizeof(record) + finalizers * sizeof(entry)));
  std::vector<std::string> command = r.child;
  command.push_back(text("--seed=", r.seed));
  command.push_back(text("--threads=", r.threads));
  command.push_back(text("--finalizers=", r.finalizers));
  command.push_back(text("--child_ledger=", memory.fd()));
  std::vector<std::string> environment = environment_of_child();
  const spawn_attributes attributes;
  pid_t child = 0;
  THREADREF_CHECK_CALL(posix_spawn(&child, "/proc/self/exe", nullptr, attributes.get(),
                                   pointers(command).data(), pointers(environment).data()));
  bool too_slow = false;
  const int status = wait_for(child, too_slow);
  if (WIFSIGNALED(status) && !too_slow && !crashed(WTERMSIG(status))) {
    r.figures.killed_from_outside = true;
    r.figures.note(text(r.cell, ": its child was killed from outside by signal ", WTERMSIG(status),
                        "; nothing is known"));
    return;
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    r.figures.seen.add("child_failed", 1);
    r.figures.note(text(r.cell, ": its child ",
                        too_slow              ? "did not end in time"
                        : WIFSIGNALED(status) ? text("ended by signal ", WTERMSIG(status))
                                              : text("ended with status ", WEXITSTATUS(status))));
  }
  ledger theirs(r.size(), finalizers, memory.fd());
  r.figures.finalizers_run += theirs.sum().ran_at_exit;
  theirs.settle(r.figures.seen, if_never_ran);
}

}  // namespace threadref::stress
