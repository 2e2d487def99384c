// SPDX-License-Identifier: MIT
// What the library throws of its own. Out of line, so that finalize() stays small where it is
// inlined, and so that not every file that includes it compiles a std::system_error.
#pragma once

#include <system_error>

namespace threadref::detail {

// std::invalid_argument, for a null function or callback.
[[noreturn, gnu::cold]] void throw_null(const char* what);
// std::system_error.
[[noreturn, gnu::cold]] void throw_error(std::errc error, const char* what);
// What finalize() says of an error of try_finalize().
[[noreturn, gnu::cold]] void throw_not_registered(std::errc error);

}  // namespace threadref::detail
