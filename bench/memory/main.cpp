// SPDX-License-Identifier: MIT
// bench_memory <quantity> <subject> <threads>: one row of bench_threadref's group memory, as a line
// of JSON. That program starts it, a process for each row: malloc and mmap are ours here.
#include <absl/strings/numbers.h>
#include <pthread.h>

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "bench/load/idle_threads.hpp"
#include "bench/memory/count.hpp"
#include "scenarios/scenarios.hpp"
#include "testing/check.hpp"
#include "testing/text.hpp"

namespace threadref::bench {
namespace {

int wrong_use(const std::string& sentence) {
  std::fprintf(stderr, "bench_memory: %s\n", sentence.c_str());
  return testing::status_wrong_use;
}

void small_stacks() {
  pthread_attr_t attributes;
  THREADREF_CHECK_CALL(pthread_attr_init(&attributes));
  THREADREF_CHECK_CALL(pthread_attr_setstacksize(&attributes, crowd::stack_bytes));
  THREADREF_CHECK_CALL(pthread_setattr_default_np(&attributes));
  pthread_attr_destroy(&attributes);
}

const subject_code* find_counted(std::string_view name) {
  const subject_code* const found = find_subject(all_subjects(), name);
  return found != nullptr ? found : find_subject(all_canaries(), name);
}

int start(int argc, char** argv) {
  int alive = 0;
  if (argc != 4) return wrong_use("it takes a quantity, a subject and a number of threads");
  const std::string_view quantity = argv[1];
  const bool together = quantity == scenarios::row(scenarios::id::memory_burst).name;
  if (!together && quantity != scenarios::row(scenarios::id::memory_thread).name)
    return wrong_use(testing::concat("'", quantity, "' is no quantity; use ",
                                     scenarios::row(scenarios::id::memory_thread).name, " or ",
                                     scenarios::row(scenarios::id::memory_burst).name));
  if (!absl::SimpleAtoi(argv[3], &alive) || alive < 1)
    return wrong_use(testing::concat("'", argv[3], "' is no number of threads; use 1 or more"));
  small_stacks();
  const subject_code* const subject = find_counted(argv[2]);
  if (subject == nullptr || subject->arm == nullptr)
    return wrong_use(testing::concat("'", argv[2],
                                     "' is no subject; bench_threadref lists them with "
                                     "--benchmark_list_tests"));
  std::printf("%s\n", memory_count(*subject, alive, together).take().dump().c_str());
  return std::fflush(stdout) == 0 ? testing::status_fine : testing::status_crashed;
}

}  // namespace
}  // namespace threadref::bench

int main(int argc, char** argv) {
  try {
    return threadref::bench::start(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_memory: %s\n", error.what());
    return threadref::testing::status_crashed;
  }
}
