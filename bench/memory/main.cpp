// SPDX-License-Identifier: MIT
// bench_memory <quantity> <subject> <threads>: prints one row of bench_threadref's group memory as
// a line of JSON. bench_threadref starts one process per row. malloc and mmap are replaced here.
#include <absl/strings/numbers.h>
#include <pthread.h>

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "bench/load/idle_threads.hpp"
#include "bench/memory/count.hpp"
#include "scenarios/scenarios.hpp"
#include "testing/build_info.hpp"
#include "testing/check.hpp"
#include "testing/text.hpp"

namespace threadref::bench {
namespace {

int wrong_use(const std::string& message) {
  std::fprintf(stderr, "bench_memory: %s\n", message.c_str());
  return testing::status_wrong_use;
}

void small_stacks() {
  pthread_attr_t attributes;
  THREADREF_CHECK_CALL(pthread_attr_init(&attributes));
  THREADREF_CHECK_CALL(pthread_attr_setstacksize(&attributes, idle_threads::stack_bytes));
  THREADREF_CHECK_CALL(pthread_setattr_default_np(&attributes));
  pthread_attr_destroy(&attributes);
}

const subject_code* find_counted(std::string_view name) {
  const subject_code* const found = find_subject(all_subjects(), name);
  return found != nullptr ? found : find_subject(all_canaries(), name);
}

int start(int argc, char** argv) {
  if (testing::prints_version("bench_memory", argc, argv)) return testing::status_fine;
  int alive = 0;
  if (argc != 4) return wrong_use("usage: bench_memory QUANTITY SUBJECT THREADS");
  const std::string_view quantity = argv[1];
  const bool at_once = quantity == scenarios::row(scenarios::id::memory_burst).name;
  if (!at_once && quantity != scenarios::row(scenarios::id::memory_thread).name)
    return wrong_use(testing::concat("'", quantity, "' is not a quantity; use ",
                                     scenarios::row(scenarios::id::memory_thread).name, " or ",
                                     scenarios::row(scenarios::id::memory_burst).name));
  if (!absl::SimpleAtoi(argv[3], &alive) || alive < 1)
    return wrong_use(testing::concat("'", argv[3], "' is not a number of threads; use 1 or more"));
  small_stacks();
  const auto how =
      at_once ? memory_count::registering::at_once : memory_count::registering::in_turn;
  const subject_code* const subject = find_counted(argv[2]);
  if (subject == nullptr || subject->arm == nullptr)
    return wrong_use(testing::concat("'", argv[2],
                                     "' is not a subject; bench_threadref --benchmark_list_tests "
                                     "lists them"));
  std::printf("%s\n", memory_count(*subject, alive, how).take().dump().c_str());
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
