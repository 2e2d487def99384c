// SPDX-License-Identifier: MIT
// bench_fork <quantity> <subject> <threads>: starts so many threads, each of which registers one
// finalizer of the subject. Then, for each byte of its standard input, it forks once and writes how
// long that took. bench_threadref starts it for its rows of the group fork: what fork() costs
// depends on what its process has done before.
#include <absl/strings/numbers.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "bench/load/registered_threads.hpp"
#include "bench/timing/probe.hpp"
#include "scenarios/scenarios.hpp"
#include "testing/build_info.hpp"
#include "testing/check.hpp"
#include "testing/text.hpp"

namespace threadref::bench {
namespace {

int wrong_use(const std::string& message) {
  std::fprintf(stderr, "bench_fork: %s\n", message.c_str());
  return testing::status_wrong_use;
}

instant time_of_a_fork() {
  const instant before = now();
  const pid_t child = fork();
  if (child == 0) _exit(0);
  const instant after = now();
  THREADREF_CHECK_ERRNO(child > 0, "fork");
  THREADREF_CHECK_ERRNO(waitpid(child, nullptr, 0) == child, "waitpid");
  return after - before;
}

int start(int argc, char** argv) {
  if (testing::prints_version("bench_fork", argc, argv)) return testing::status_fine;
  if (argc != 4) return wrong_use("usage: bench_fork QUANTITY SUBJECT THREADS");
  const std::string_view beside = scenarios::row(scenarios::id::fork_beside).name;
  const std::string_view after = scenarios::row(scenarios::id::fork_after).name;
  if (argv[1] != beside && argv[1] != after)
    return wrong_use(
        testing::concat("'", argv[1], "' is not a quantity; use ", after, " or ", beside));
  const subject_code* subject = find_subject(all_subjects(), argv[2]);
  if (subject == nullptr) subject = find_subject(all_canaries(), argv[2]);
  if (subject == nullptr || subject->add_counting == nullptr)
    return wrong_use(testing::concat("'", argv[2],
                                     "' is not a subject; bench_threadref "
                                     "--benchmark_list_tests lists them"));
  int threads = 0;
  if (!absl::SimpleAtoi(argv[3], &threads) || threads < 1)
    return wrong_use(testing::concat("'", argv[3], "' is not a number of threads; use 1 or more"));
  registered_threads others(*subject, threads);
  if (!others.all_started()) return wrong_use("the system refused to create that many threads");
  verdict found;
  if (argv[1] == after) others.join_all(found);
  char byte = 0;
  while (read(STDIN_FILENO, &byte, 1) == 1) {
    const instant taken = time_of_a_fork();
    THREADREF_CHECK_ERRNO(write(STDOUT_FILENO, &taken, sizeof taken) == sizeof taken, "write");
  }
  others.join_all(found);
  return found.lost + found.doubled == 0 ? testing::status_fine : testing::status_forbidden;
}

}  // namespace
}  // namespace threadref::bench

int main(int argc, char** argv) {
  try {
    return threadref::bench::start(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_fork: %s\n", error.what());
    return threadref::testing::status_crashed;
  }
}
