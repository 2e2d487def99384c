// SPDX-License-Identifier: MIT
// Names of threads: given, counted, and in front of every line of a log.
#pragma once

#include <string>
#include <string_view>

#include "threadref/thread_info.hpp"

namespace threadref::workers {

// "Thread-1", "Thread-2", ...: for whoever has no better one. No two calls give the same.
std::string next_thread_name();

// Names the calling thread. The system keeps the first 15 characters, and a thread_handle keeps
// them when the thread is dead.
void name_this_thread(const std::string& name);
std::string this_thread_name();

// What is said, after the name of who says it: the calling thread, or one that may be dead by now.
std::string log_line(std::string_view what);
std::string log_line(const thread_handle& who, std::string_view what);

}  // namespace threadref::workers
