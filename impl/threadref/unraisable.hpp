// SPDX-License-Identifier: MIT
// What happens to errors that no caller can catch: those of finalizers that run at thread exit.
#pragma once

#include <cstdint>
#include <exception>

#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

class thread_handle;

namespace detail {
struct block;
}

enum class incident : std::uint8_t {
  threw,          // a finalizer, ref callback or destructor threw; the others still run
  abandoned,      // a limit of options was exceeded: what was still pending will not run
  missed,         // the thread ended without running its exit hooks: what was pending will not run
  node_destroyed  // its exit destroyed an attached exit_node in a thread_local before its turn
};

// The function that is called for such errors. `thread` is the one whose registration it was, and
// may be copied and stored. `what` is the exception; null for other kinds. The hook must not throw.
//
// It is called where the error occurs, without a lock held: on the exiting thread; in the exit
// stage, on the thread that ends the process; in threadref_call(), on the caller; with
// fork_policy::run_siblings, on the forking thread in the child; for a thread that is found to be
// gone, on the thread that found it. Several threads may call it at once.
using unraisable_hook = void (*)(const thread_handle& thread, std::exception_ptr what,
                                 incident kind) noexcept;

// Replaces the hook of the process and returns the previous one. Null restores the default, which
// writes one line with the thread's tid and serial to standard error, and its name if thread.name()
// was called before (reading it could take a call that a sandbox forbids). Any thread. O(1).
unraisable_hook set_unraisable_hook(unraisable_hook hook) noexcept;

namespace detail {
void report(block& on, std::exception_ptr what, incident kind) noexcept;
}

}  // namespace threadref::inline THREADREF_ABI
