// SPDX-License-Identifier: MIT
// A thread of its own that handles Ctrl-C and ends a program that hangs.
#pragma once

#include <string>

namespace threadref::stress::watchdog {

// Blocks SIGINT and SIGTERM in the calling thread and in all threads that it starts later, and
// starts the thread that waits for them. The first signal asks the program to stop; the second ends
// it at once. `on_abort` is called before the program ends in any way but a normal return: it
// removes partly written files. It must be async-signal-safe.
void start(void (*on_abort)());
bool stopping() noexcept;

// This cell runs from here on. `again` is the command that runs it once more; it is the last thing
// that a crash or a hang prints. If the cell hangs (see hang_detector.hpp), the program ends with
// status_crashed.
void begin_cell(const std::string& cell, const std::string& again, double cpu_seconds,
                double wall_seconds);
void end_cell() noexcept;

}  // namespace threadref::stress::watchdog
