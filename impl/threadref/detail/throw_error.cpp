// SPDX-License-Identifier: MIT
#include "threadref/detail/throw_error.hpp"

#include <unistd.h>

#include <cstdlib>
#include <new>
#include <stdexcept>

namespace threadref::inline THREADREF_ABI::detail {

void throw_null(const char* what) {
  throw std::invalid_argument(what);
}

void throw_error(std::errc error, const char* what) {
  throw std::system_error(std::make_error_code(error), what);
}

void throw_not_registered(std::errc error) {
  if (error == std::errc::invalid_argument)
    throw_null("threadref: the function of a finalizer is null");
  if (error == std::errc::not_enough_memory) throw std::bad_alloc();
  throw_error(error, error == std::errc::operation_not_supported
                         ? "threadref: dlmopen() loaded it into a namespace where it is not told "
                           "when a thread ends"
                         : "threadref: a finalizer can't be registered on this thread");
}

void abort_with(std::string_view line) noexcept {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
  std::abort();
}

}  // namespace threadref::inline THREADREF_ABI::detail
