// SPDX-License-Identifier: MIT
// What it takes to start this program again as a child, for what ends a process.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace threadref::testing {

// Something for a variable that holds options, separated by colons, as those of sanitizers do.
struct added_option {
  std::string_view variable;
  std::string_view option;
};
// This process's environment, with these after what the variables hold already.
std::vector<std::string> environment_with(std::initializer_list<added_option> added);

// As exec and posix_spawn want them; valid while `strings` is as it is.
std::vector<char*> pointers(std::vector<std::string>& strings);

// Does a program that fails end by this signal, or was it killed by somebody?
bool is_crash(int signal) noexcept;

// Waits until the child has ended, which is not reaped then. False: it did not in that time.
bool ends_within(pid_t child, int milliseconds);

// What the processes of the group have used, and those that they have waited for.
std::chrono::nanoseconds cpu_time_of_group(pid_t group);

}  // namespace threadref::testing
