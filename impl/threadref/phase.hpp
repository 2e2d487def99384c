// SPDX-License-Identifier: MIT
// When a finalizer runs within the exit of its thread.
#pragma once

#include <cstdint>

#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// If the callback touches a thread_local that has a destructor, use exit_phase::early.
//
//   early      Among the C++ thread_locals, each registration at its own place: before those that
//              were constructed before it was made, after those that were constructed later, on
//              every back end and whoever else registers. On main that is in exit(), unless main
//              calls pthread_exit().
//   last       When the back end's exit hook fires; on most back ends, after all thread_locals.
//              finalize() uses this one.
//   very_last  In the last pass that is safe, after the registered destructors. For what others
//              still need while they clean up, such as an allocator's caches.
//
// Each phase runs newest first. A registration that comes too late for its phase runs in the next.
//
// An early registration costs what constructing a thread_local with a destructor does, since it is
// an entry in the same list of the C library: some 35 ns and the loader's lock, so it waits while
// another thread is inside dlopen() or dlclose(). The C library allocates the entry, so it is
// nothing for allocators, and without memory the process ends (glibc reports no error; measured). A
// cancelled one keeps its entry and its 48 bytes until the thread ends.
//
// In last and very_last a thread_local that a callback is the first to use is constructed, but
// never destroyed by glibc, on most back ends (its memory leaks): use it on the thread before, or
// register early.
enum class exit_phase : std::uint8_t { early, last, very_last };

}  // namespace threadref::inline THREADREF_ABI
