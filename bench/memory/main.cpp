// SPDX-License-Identifier: MIT
// bench_memory <quantity> <subject> <threads>: one row of bench_threadref's group memory, as a line
// of JSON. That program starts it, a process for each row: malloc and mmap are ours here.
#include <absl/strings/numbers.h>
#include <pthread.h>

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "bodies/memory.hpp"
#include "memory/count.hpp"
#include "scenarios/canaries.hpp"
#include "scenarios/check.hpp"
#include "text.hpp"

namespace threadref::bench {
namespace {

int wrong_use(const std::string& sentence) {
  std::fprintf(stderr, "bench_memory: %s\n", sentence.c_str());
  return scenarios::status_wrong_use;
}

void small_stacks() {
  pthread_attr_t attributes;
  THREADREF_CHECK_CALL(pthread_attr_init(&attributes));
  THREADREF_CHECK_CALL(pthread_attr_setstacksize(&attributes, crowd::stack_bytes));
  THREADREF_CHECK_CALL(pthread_setattr_default_np(&attributes));
  pthread_attr_destroy(&attributes);
}

template <class S>
void take(std::string_view wanted, int alive, bool together, std::string& line) {
  if (S::name == wanted) line = memory_count<S>(alive, together).take().dump();
}

std::string take_any(std::string_view wanted, int alive, bool together) {
  std::string line;
  const auto as_is = [&]<class S>() { take<S>(wanted, alive, together, line); };
  const auto as_library = [&]<backend B>() { take<library<B>>(wanted, alive, together, line); };
  for_each_type(counted_in_memory::floors{}, as_is);
  for_each_type(counted_in_memory::peers{}, as_is);
  for_each_type(backends{}, as_library);
  for_each_type(canaries{}, as_library);
  return line;
}

int start(int argc, char** argv) {
  int alive = 0;
  if (argc != 4) return wrong_use("it takes a quantity, a subject and a number of threads");
  const std::string_view quantity = argv[1];
  const bool together = quantity == scenarios::row(id::memory_herd).name;
  if (!together && quantity != scenarios::row(id::memory_thread).name)
    return wrong_use(concat("'", quantity, "' is no quantity; use ",
                            scenarios::row(id::memory_thread).name, " or ",
                            scenarios::row(id::memory_herd).name));
  if (!absl::SimpleAtoi(argv[3], &alive) || alive < 1)
    return wrong_use(concat("'", argv[3], "' is no number of threads; use 1 or more"));
  small_stacks();
  const std::string line = take_any(argv[2], alive, together);
  if (line.empty())
    return wrong_use(concat("'", argv[2],
                            "' is no subject; bench_threadref lists them with "
                            "--benchmark_list_tests"));
  std::printf("%s\n", line.c_str());
  return std::fflush(stdout) == 0 ? scenarios::status_fine : scenarios::status_crashed;
}

}  // namespace
}  // namespace threadref::bench

int main(int argc, char** argv) {
  try {
    return threadref::bench::start(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_memory: %s\n", error.what());
    return threadref::scenarios::status_crashed;
  }
}
