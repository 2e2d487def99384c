// SPDX-License-Identifier: MIT
// Throws the library's own exceptions, or ends the process. Out of line, so that finalize() stays
// small where it is inlined, and so that files which include it need not compile std::system_error.
#pragma once

#include <string_view>
#include <system_error>

#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI::detail {

// Throws std::invalid_argument, for a null function or callback.
[[noreturn, gnu::cold]] void throw_null(const char* what);
// Throws std::system_error.
[[noreturn, gnu::cold]] void throw_error(std::errc error, const char* what);
// Throws the exception of finalize() for an error of try_finalize().
[[noreturn, gnu::cold]] void throw_not_registered(std::errc error);
// For a mistake after which memory would be corrupted: writes the line to standard error and
// aborts.
[[noreturn, gnu::cold]] void abort_with(std::string_view line) noexcept;

}  // namespace threadref::inline THREADREF_ABI::detail
