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

// Why nothing can be counted in this build.
constexpr std::string_view why_blind =
    detail::under_tsan || detail::under_asan ? "not counted: the sanitizer is the allocator" : "";

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

// What the program beside this one said on its standard output; or why it said nothing.
struct answer {
  std::string text;
  std::string failure;
};
answer ask(std::vector<std::string> arguments) {
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
                            "; the target bench_memory builds it")};
  int status = 0;
  while (waitpid(child, &status, 0) != child) THREADREF_CHECK_ERRNO(errno == EINTR, "waitpid");
  if (!WIFEXITED(status))
    return {{}, testing::concat(program, " died of signal ", WTERMSIG(status))};
  if (WEXITSTATUS(status) != 0)
    return {{}, testing::concat(program, " ended with ", WEXITSTATUS(status))};
  return {whole(out.fd()), {}};
}

// Has bench_memory count one subject, in a process of its own, and sets the counters of the row.
void run(benchmark::State& state, session& all, const row& of, const subject_code& /*s*/) {
  if (!why_blind.empty()) {
    for (auto _ : state) state.SetIterationTime(0);
    state.SetLabel(std::string(why_blind));
    if (bench::judge(state, all, of, {})) {
      for (const char* fault : {"lost", "doubled", "misordered"}) state.counters[fault] = 0;
    }
    return;
  }
  all.go_free();
  nlohmann::json counted;
  for (auto _ : state) {
    const instant before = now();
    const answer got = ask({"bench_memory", std::string(scenarios::row(of.key).name),
                            std::string(of.subject), testing::concat(of.n)});
    state.SetIterationTime(static_cast<double>(now() - before) * 1e-9);
    counted = nlohmann::json::parse(got.text, nullptr, false);
    if (counted.is_object()) continue;
    all.not_usable();
    state.SkipWithError(got.failure.empty() ? "bench_memory gave no JSON" : got.failure.c_str());
    return;
  }
  const verdict found{counted["lost"], counted["doubled"], counted["misordered"]};
  if (!bench::judge(state, all, of, found)) return;
  for (const auto& [key, value] : counted.items()) state.counters[key] = value.get<double>();
  state.counters["samples"] = of.n;
  state.SetLabel("order=ok");
}

body counted_in_memory(id key) {
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
// Counted in bench_memory, which is the allocator of its process; nothing is timed. The threads
// register one after the other, so that the figures are exact.
// 2026-11-20, amd-epyc-2c, 10 000 threads: the default 1.7 KB for the first, 56 bytes each, no call
// for memory once blocks are used again; after the peak 153 MiB stay, after trim() 7.
template <>
const body& body_of<id::memory_thread>() {
  static const body it = counted_in_memory(id::memory_thread);
  return it;
}

// How much do they take when all of them register at once?
//   bench_threadref --benchmark_filter=memory/herd
// 2026-11-20, amd-epyc-2c: the same in memory; but of address space up to 4 GB, for each thread
// that finds the pool empty maps a MiB of its own, and what it does not use is lost.
template <>
const body& body_of<id::memory_burst>() {
  static const body it = counted_in_memory(id::memory_burst);
  return it;
}

}  // namespace threadref::bench
