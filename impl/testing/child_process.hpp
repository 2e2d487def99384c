// SPDX-License-Identifier: MIT
// Helpers to start this program again as a child, for tests that end a process.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace threadref::testing {

// An option for a variable that holds several, separated by colons, as those of sanitizers do.
struct added_option {
  std::string_view variable;
  std::string_view option;
};
// This process's environment, with these options appended to the variables.
std::vector<std::string> environment_with(std::initializer_list<added_option> added);

// As exec and posix_spawn require them; valid while `strings` is unchanged.
std::vector<char*> pointers(std::vector<std::string>& strings);

// Does a failing program end by this signal? False: another process killed it.
bool is_crash(int signal) noexcept;

// Waits until the child has ended, and does not reap it. False: it has not ended in that time.
bool ends_within(pid_t child, int milliseconds);

// The CPU time of the group's processes, and of the children that they have waited for.
std::chrono::nanoseconds cpu_time_of_group(pid_t group);

}  // namespace threadref::testing
