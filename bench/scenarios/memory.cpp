// SPDX-License-Identifier: MIT
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "bench/scenarios/scenario.hpp"
#include "testing/check.hpp"
#include "testing/child_process.hpp"
#include "testing/memory_file.hpp"
#include "testing/text.hpp"
#include "threadref/config.hpp"

namespace threadref::bench {

namespace {

// Why this build can't count memory, or nothing.
constexpr std::string_view why_not_counted =
    detail::under_tsan || detail::under_asan ? "not counted: the sanitizer replaces the allocator"
                                             : "";

std::string whole(int file) {
  std::string text;
  char buffer[4096];
  ssize_t got = 0;
  THREADREF_CHECK_ERRNO(lseek(file, 0, SEEK_SET) == 0, "lseek");
  while ((got = read(file, buffer, sizeof buffer)) > 0)
    text.append(buffer, static_cast<std::size_t>(got));
  THREADREF_CHECK_ERRNO(got == 0, "read");
  return text;
}

// The standard output of a program in this program's directory, or why there is none.
struct answer {
  std::string text;
  std::string failure;
};
answer run_program(std::vector<std::string> arguments) {
  const std::string program =
      std::filesystem::read_symlink("/proc/self/exe").replace_filename(arguments.front());
  const testing::memory_file out("bench_memory");
  posix_spawn_file_actions_t actions;
  THREADREF_CHECK_CALL(posix_spawn_file_actions_init(&actions));
  THREADREF_CHECK_CALL(posix_spawn_file_actions_adddup2(&actions, out.fd(), STDOUT_FILENO));
  pid_t child = 0;
  const int error = posix_spawn(&child, program.c_str(), &actions, nullptr,
                                testing::pointers(arguments).data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    return {{},
            testing::concat(program, " can't be started: ", std::strerror(error),
                            "; build it with the target bench_memory")};
  int status = 0;
  while (waitpid(child, &status, 0) != child) THREADREF_CHECK_ERRNO(errno == EINTR, "waitpid");
  if (!WIFEXITED(status))
    return {{}, testing::concat(program, " was killed by signal ", WTERMSIG(status))};
  if (WEXITSTATUS(status) != 0)
    return {{}, testing::concat(program, " ended with exit status ", WEXITSTATUS(status))};
  return {whole(out.fd()), {}};
}

// Runs bench_memory to count one subject in a separate process, and sets the counters of the row.
void run(benchmark::State& state, session& session, const row& row, const subject_code& /*s*/) {
  if (!why_not_counted.empty()) {
    for (auto _ : state) state.SetIterationTime(0);
    state.SetLabel(std::string(why_not_counted));
    if (bench::judge(state, session, row, {})) {
      for (const char* fault : {"lost", "doubled", "misordered"}) state.counters[fault] = 0;
    }
    return;
  }
  session.go_free();
  nlohmann::json counted;
  for (auto _ : state) {
    const instant before = now();
    const answer got = run_program({"bench_memory", std::string(scenarios::row(row.key).name),
                                    std::string(row.subject), testing::concat(row.n)});
    state.SetIterationTime(static_cast<double>(now() - before) * 1e-9);
    counted = nlohmann::json::parse(got.text, nullptr, false);
    if (counted.is_object()) continue;
    session.not_usable();
    state.SkipWithError(got.failure.empty() ? "bench_memory printed no JSON" : got.failure.c_str());
    return;
  }
  const verdict found{counted["lost"], counted["doubled"], counted["misordered"]};
  if (!bench::judge(state, session, row, found)) return;
  for (const auto& [key, value] : counted.items()) state.counters[key] = value.get<double>();
  state.counters["samples"] = row.n;
  state.SetLabel("order=ok");
}

scenario_code counted_in_memory(id key) {
  return {
      .key = key,
      .floors = {"floor_empty_thread"},
      .peers = {"peer_reserved_vector", "peer_cxa_thread_atexit", "peer_key_list"},
      .pairs = [](int /*alive*/) { return 1; },
      .run = &run,
  };
}

}  // namespace

// How much memory do a thread and a finalizer take, and what is left after a peak?
//   bench_threadref --benchmark_filter=memory/thread
// bench_memory, which replaces the allocator of its process, counts; nothing is timed. The threads
// register one after the other, so that the figures are exact.
// 2026-11-20, amd-epyc-2c, 10 000 threads: the default takes 1.7 KB for the first finalizer, 56
// bytes for each other one, and allocates nothing once blocks are reused; 153 MiB stay after the
// peak, 7 after trim().
template <>
const scenario_code& scenario_of<id::memory_thread>() {
  static const scenario_code it = counted_in_memory(id::memory_thread);
  return it;
}

// How much do they take when all of them register at once?
//   bench_threadref --benchmark_filter=memory/herd
// 2026-11-20, amd-epyc-2c: as much memory, but up to 4 GB of address space, since each thread that
// finds the pool empty maps a MiB of its own, whose unused part is lost.
template <>
const scenario_code& scenario_of<id::memory_burst>() {
  static const scenario_code it = counted_in_memory(id::memory_burst);
  return it;
}

}  // namespace threadref::bench
