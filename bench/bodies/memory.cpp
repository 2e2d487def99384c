// SPDX-License-Identifier: MIT
#include "bodies/memory.hpp"

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

#include "rows_of.hpp"
#include "scenarios/check.hpp"
#include "scenarios/child_process.hpp"
#include "threadref/config.hpp"

template struct threadref::bench::rows_of<threadref::scenarios::id::memory_thread>;
template struct threadref::bench::rows_of<threadref::scenarios::id::memory_herd>;

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
  const scenarios::memory_file out("bench_memory");
  posix_spawn_file_actions_t actions;
  THREADREF_CHECK_CALL(posix_spawn_file_actions_init(&actions));
  THREADREF_CHECK_CALL(posix_spawn_file_actions_adddup2(&actions, out.fd(), STDOUT_FILENO));
  pid_t child = 0;
  const int error = posix_spawn(&child, program.c_str(), &actions, nullptr,
                                scenarios::pointers(arguments).data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return {{}, concat(program, " can't be started: ", std::strerror(error))};
  int status = 0;
  while (waitpid(child, &status, 0) != child) THREADREF_CHECK_ERRNO(errno == EINTR, "waitpid");
  if (!WIFEXITED(status)) return {{}, concat(program, " died of signal ", WTERMSIG(status))};
  if (WEXITSTATUS(status) != 0) return {{}, concat(program, " ended with ", WEXITSTATUS(status))};
  return {whole(out.fd()), {}};
}

}  // namespace

void count_memory(benchmark::State& state, session& all, const row& of) {
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
                            std::string(of.subject), concat(of.n)});
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

}  // namespace threadref::bench
