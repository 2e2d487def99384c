// SPDX-License-Identifier: MIT
// Files that are written whole or not at all.
#pragma once

#include <string>
#include <string_view>

namespace threadref::bench {

// Can it be written? Empty, or a sentence. Asked before a run of minutes; leaves nothing behind.
std::string why_not_writable(const std::string& path);

// Writes beside it and renames; what is no regular file (a pipe, /dev/null) is written directly.
// Ends the program when that fails.
void write_whole(const std::string& path, std::string_view text);

}  // namespace threadref::bench
