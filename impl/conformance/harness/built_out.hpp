// SPDX-License-Identifier: MIT
// The table of what a build leaves out, and why. A check that it names is skipped in that build,
// and every run prints them at its end.
#pragma once

#include <string_view>

#include "threadref/config.hpp"

namespace threadref::conformance {

enum class build { under_tsan, under_asan, under_memcheck };

constexpr std::string_view to_string(build b) {
  constexpr std::string_view names[] = {"under_tsan", "under_asan", "under_memcheck"};
  return names[static_cast<int>(b)];
}

constexpr bool is_this(build b) {
  switch (b) {
    case build::under_tsan:
      return detail::under_tsan;
    case build::under_asan:
      return detail::under_asan;
    case build::under_memcheck:
      return detail::under_memcheck;
  }
  return false;
}

struct left_out {
  int check;
  build where;
  std::string_view why;
};

inline constexpr std::string_view no_fork =
    "in the child of a process with threads, it ends the first that starts another";

inline constexpr std::string_view in_children =
    "it is about processes of its own, which valgrind does not look into";
inline constexpr std::string_view own_calls = "it makes such calls itself";
inline constexpr std::string_view no_race = "valgrind runs one thread at a time: no race is close";

inline constexpr left_out built_out[] = {
    {53, build::under_memcheck, no_race},
    {54, build::under_memcheck, no_race},
    {70, build::under_tsan, "ThreadSanitizer knows no thread that thrd_create started"},
    {71, build::under_tsan, "its frames do not fit into PTHREAD_STACK_MIN"},
    {71, build::under_asan, "its frames and red zones do not fit into PTHREAD_STACK_MIN"},
    {75, build::under_tsan, "pthread_exit() on main never ends while another thread lives"},
    {87, build::under_tsan, no_fork},
    {88, build::under_tsan, no_fork},
    {89, build::under_tsan, no_fork},
    {89, build::under_asan, "in the child, its allocator's locks stay as other threads held them"},
    {90, build::under_tsan, no_fork},
    {91, build::under_tsan, "it makes a fork() of vfork()"},
    {107, build::under_tsan, "a late first use gets to the round that the sanitizer ends before"},
    {131, build::under_tsan, "a join of a thread that vanished never returns"},
    {131, build::under_asan, "it ends the process when a thread starts where another vanished"},
    {132, build::under_tsan, own_calls},
    {132, build::under_asan, own_calls},
    {132, build::under_memcheck, in_children},
    {44, build::under_memcheck, in_children},
    {52, build::under_memcheck, in_children},
    {57, build::under_memcheck, in_children},
    {73, build::under_memcheck, in_children},
    {74, build::under_memcheck, in_children},
    {75, build::under_memcheck, in_children},
    {76, build::under_memcheck, in_children},
    {77, build::under_memcheck, in_children},
    {78, build::under_memcheck, in_children},
    {79, build::under_memcheck, in_children},
    {80, build::under_memcheck, in_children},
    {81, build::under_memcheck, in_children},
    {82, build::under_memcheck, in_children},
    {83, build::under_memcheck, in_children},
    {84, build::under_memcheck, in_children},
    {85, build::under_memcheck, in_children},
    {86, build::under_memcheck, in_children},
    {87, build::under_memcheck, in_children},
    {88, build::under_memcheck, in_children},
    {89, build::under_memcheck, in_children},
    {90, build::under_memcheck, in_children},
    {91, build::under_memcheck, in_children},
};

// Why this build leaves out the check; empty: it does not.
constexpr std::string_view why_built_out(int check) {
  for (const left_out& row : built_out) {
    if (row.check == check && is_this(row.where)) return row.why;
  }
  return {};
}

}  // namespace threadref::conformance
