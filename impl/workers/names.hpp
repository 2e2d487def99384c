// SPDX-License-Identifier: MIT
// Names of threads: numbered names, setting them, and log lines that begin with them.
#pragma once

#include <string>
#include <string_view>

#include "threadref/thread_info.hpp"

namespace threadref::workers {

// "Thread-1", "Thread-2", ...: for a thread without a better name. Each call returns another one.
std::string next_thread_name();

// Names the calling thread. The system stores the first 15 characters, and a thread_handle still
// has them when the thread is dead.
void name_this_thread(const std::string& name);
std::string this_thread_name();

// The text after the name of the calling thread, or of a thread that may be dead by now.
std::string log_line(std::string_view what);
std::string log_line(const thread_handle& thread, std::string_view what);

}  // namespace threadref::workers
