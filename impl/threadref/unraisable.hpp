// SPDX-License-Identifier: MIT
// What happens to errors that nobody can catch: those of finalizers that run at thread exit.
#pragma once

#include <cstdint>
#include <exception>

namespace threadref {

class thread_handle;

namespace detail {
struct block;
}

// threw: a finalizer or ref callback threw at thread exit; the others run. abandoned: a limit cut
// off what was registered while the thread exited; no exception belongs to it.
enum class incident : std::uint8_t { threw, abandoned };

using unraisable_hook = void (*)(const thread_handle& thread, std::exception_ptr what,
                                 incident kind) noexcept;

// Replaces the hook and returns the one before; null restores the default, which writes one line
// with the thread's name to standard error. Any thread; the hook is called on the exiting thread.
// It must not throw. O(1).
unraisable_hook set_unraisable_hook(unraisable_hook hook) noexcept;

namespace detail {
void report(block& on, std::exception_ptr what, incident kind) noexcept;
}

}  // namespace threadref
