// SPDX-License-Identifier: MIT
// What there is once in a process: the options, the list of back ends in use, fork().
#pragma once

#include <sys/types.h>

#include "threadref/options.hpp"

namespace threadref::detail {

class domain;

// The options, fixed from the first use on. Read on the exit path, so without a call.
extern options the_options;
inline const options& settings() noexcept {
  return the_options;
}
// The first use: configure() is refused from here on. O(1), one load but for the first call.
void freeze_settings() noexcept;

// The id of the process, which is that of its main thread; without a system call.
pid_t main_tid() noexcept;

// What next_in_order() gave last, to any thread.
std::uint64_t last_in_order() noexcept;

// Which shared object holds this library: the C library asks for it.
void* this_object() noexcept;

// From now on that object stays loaded until the process ends, whoever unloads it. O(1); takes the
// loader's lock.
void keep_this_object() noexcept;

// Joins the back ends that fork() must look after, keeps this library from being unloaded, and arms
// the exit stage. Once per back end, from its static initialiser or its first use, whichever comes
// first; any thread.
void enrol(domain& d) noexcept;

}  // namespace threadref::detail
