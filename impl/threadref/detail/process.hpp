// SPDX-License-Identifier: MIT
// What exists once in a process: the options, the list of back ends in use, the fork handlers.
#pragma once

#include <sys/types.h>

#include <system_error>

#include "threadref/detail/code_range.hpp"
#include "threadref/options.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI::detail {

class domain;

// The options, which do not change after the first use. The exit path reads them, so it must not
// take a call.
extern options the_options;
inline const options& settings() noexcept {
  return the_options;
}
// Called at the first use: configure() fails from here on. O(1); one load except for the first
// call.
void freeze_settings() noexcept;

// The id of the main thread, which is that of the process. No system call.
pid_t main_tid() noexcept;

// If the calling thread is in the child of a fork, inside a handler that comes before the
// library's, does what the library's does. Called while a fork is pending, before anything that
// vanished threads may have left half done is used: see word_lock::lock().
void settle_if_forked() noexcept;

// The last number that next_in_order() returned to any thread.
std::uint64_t last_in_order() noexcept;

// Identifies the shared object that holds this library, for the C library.
void* this_object() noexcept;

// Keeps that object loaded until the process ends, even after dlclose(). O(1); takes the loader's
// lock.
void keep_this_object() noexcept;

// Adds an entry to the calling thread's list of thread_local destructors, as constructing such an
// object does: run(argument) is called when the thread exits, before what is older there. On main,
// exit() does that. The entry keeps this object loaded. Takes the loader's lock. (Without memory
// the process ends: glibc reports no error.)
std::errc add_thread_local_destructor(void (*run)(void*), void* argument) noexcept;

// Keeps the shared object that holds the address loaded, even after dlclose(), until
// release_objects(). Does nothing for the program and for the object that holds this library. O(1);
// takes the loader's lock.
void keep_object(const void* address) noexcept;
// Ends that for the objects in the range. An object that nobody else has open is unloaded now. Does
// nothing once the exit stage has begun: a destructor of the object itself may be the caller.
void release_objects(const code_range& in) noexcept;
// The exit stage begins.
void keep_objects_for_good() noexcept;

// Whether this library is in a link-map namespace of its own, which dlmopen() makes. It has a copy
// of the C library there, which is not told when a thread of the program ends, and whose keys are
// also keys of the program's C library, with values of other owners. O(1); the first call takes the
// loader's lock.
bool is_in_other_namespace() noexcept;

// Adds the back end to those that the fork handlers serve, keeps this library from being unloaded,
// and arms the exit stage. Does nothing the second time. Any thread.
void enrol(domain& d) noexcept;
// From the back end's static initialiser: enrols it, and sees to main's exit stage.
void load(domain& d) noexcept;

}  // namespace threadref::inline THREADREF_ABI::detail
