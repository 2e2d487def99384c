// SPDX-License-Identifier: MIT
// What fork() costs a process whose threads have registered. Two processes of bench_fork wait: one
// with threads of the subject, one with as many that register nothing. They fork in turns.
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bench/scenarios/scenario.hpp"
#include "testing/check.hpp"
#include "testing/child_process.hpp"
#include "testing/text.hpp"

namespace threadref::bench {

namespace {

class forking_process {
 public:
  forking_process(const row& row, std::string_view subject) {
    std::array<int, 2> ends{};
    THREADREF_CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0,
                          "socketpair");
    const std::string program =
        std::filesystem::read_symlink("/proc/self/exe").replace_filename("bench_fork");
    std::vector<std::string> command = {program, std::string(scenarios::row(row.key).name),
                                        std::string(subject), testing::concat(row.n)};
    posix_spawn_file_actions_t files;
    THREADREF_CHECK_CALL(posix_spawn_file_actions_init(&files));
    for (const int file : {STDIN_FILENO, STDOUT_FILENO})
      THREADREF_CHECK_CALL(posix_spawn_file_actions_adddup2(&files, ends[1], file));
    const int error = posix_spawn(&id_, program.c_str(), &files, nullptr,
                                  testing::pointers(command).data(), environ);
    posix_spawn_file_actions_destroy(&files);
    close(ends[1]);
    socket_ = ends[0];
    if (error != 0)
      throw std::runtime_error(program + " can't be started; build it with the target bench_fork");
  }
  forking_process(const forking_process&) = delete;
  forking_process& operator=(const forking_process&) = delete;
  ~forking_process() {
    close(socket_);
    while (id_ != 0 && waitpid(id_, nullptr, 0) < 0 && errno == EINTR) continue;
  }
  sample fork_once() {
    sample taken;
    if (send(socket_, "f", 1, MSG_NOSIGNAL) != 1 ||
        read(socket_, &taken.region, sizeof taken.region) != sizeof taken.region)
      throw std::runtime_error("bench_fork has ended (its reason is on the standard error)");
    return taken;
  }

 private:
  pid_t id_ = 0;
  int socket_ = -1;
};

void run(benchmark::State& state, session& session, const row& row, const subject_code& s) {
  session.go_free();
  fail_with_reason(state, session, [&] {
    forking_process subject(row, s.name);
    forking_process floor(row, "floor_empty_thread");
    for (forking_process* p : {&subject, &floor}) p->fork_once();  // waits until it is ready
    const measured m = sample_pairs(
        state, 1, [&](verdict& /*v*/) { return subject.fork_once(); },
        [&](verdict& /*v*/) { return floor.fork_once(); });
    report(state, session, row, 1, m, figures::per_operation);
  });
}

scenario_code of_forks(id key) {
  return {
      .key = key,
      .floors = {"floor_empty_thread"},
      .peers = {"peer_cxa_thread_atexit", "peer_key_list"},
      .is_free = true,
      .pairs = [](int threads) { return threads < 1'000 ? 100 : 30; },
      .run = &run,
  };
}

}  // namespace

// What does fork() cost when that many threads have registered, and ended?
//   bench_threadref --benchmark_filter=fork/after
// Timed in the parent, from the call to its return. The child ends at once.
template <>
const scenario_code& scenario_of<id::fork_after>() {
  static const scenario_code it = of_forks(id::fork_after);
  return it;
}

// What does it cost beside that many threads that have registered, and sleep?
//   bench_threadref --benchmark_filter=fork/beside
template <>
const scenario_code& scenario_of<id::fork_beside>() {
  static const scenario_code it = of_forks(id::fork_beside);
  return it;
}

}  // namespace threadref::bench
