// SPDX-License-Identifier: MIT
// The thread that stays awake: it hears Ctrl-C, and it ends a program that hangs.
#pragma once

#include <string>

namespace threadref::stress::minder {

// Blocks SIGINT and SIGTERM in the calling thread and in all that it will start, and starts the
// thread that waits for them. The first asks the program to stop, the second ends it at once.
// `last_deed` is called before the program ends in another way than by itself: what a partly
// written file needs.
void start(void (*last_deed)());
bool stopping() noexcept;

// From here on this cell runs. `again` is the command that runs it once more; it is the last thing
// that a crash or a hang prints. If it hangs (see patience.hpp), the program
// ends with status_crashed.
void begin_cell(const std::string& cell, const std::string& again, double cpu_seconds,
                double wall_seconds);
void end_cell() noexcept;

}  // namespace threadref::stress::minder
