// SPDX-License-Identifier: MIT
// Files that are written completely or not at all.
#pragma once

#include <string>
#include <string_view>

namespace threadref::bench {

// Why the file can't be written, or nothing. Called before a run of minutes; leaves no file behind.
std::string why_not_writable(const std::string& path);

// Writes a temporary file next to it and renames that. What is not a regular file (a pipe,
// /dev/null) is written directly. Ends the program if that fails.
void write_whole(const std::string& path, std::string_view text);

}  // namespace threadref::bench
