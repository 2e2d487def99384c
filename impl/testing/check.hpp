// SPDX-License-Identifier: MIT
// Errors in harness code: a failing call ends the program, and prints what failed and why.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace threadref::testing {

// The exit statuses of every program and script here.
enum exit_status : int {
  status_fine = 0,
  status_wrong_use = 1,      // or nothing matched
  status_forbidden = 2,      // a forbidden or undeclared outcome, a regression, a missed target
  status_crashed = 3,        // crashed, timed out, or the run is not usable
  status_canary_missed = 4,  // a planted fault was not caught
  status_interrupted = 130,
};

[[noreturn]] inline void die(const char* what, const char* file, int line, int error) {
  std::fprintf(stderr, "%s:%d: %s%s%s\n", file, line, what, error != 0 ? ": " : "",
               error != 0 ? std::strerror(error) : "");
  std::_Exit(status_crashed);
}

}  // namespace threadref::testing

// Ends the program unless the condition holds. Active in every build, unlike assert.
#define THREADREF_CHECK(condition, message) \
  ((condition) ? static_cast<void>(0) : ::threadref::testing::die(message, __FILE__, __LINE__, 0))
// The same for a call that sets errno.
#define THREADREF_CHECK_ERRNO(condition, call) \
  ((condition) ? static_cast<void>(0) : ::threadref::testing::die(call, __FILE__, __LINE__, errno))
// The same for a call that returns an error number, as the pthread functions do.
#define THREADREF_CHECK_CALL(call)                                           \
  do {                                                                       \
    if (const int threadref_error = (call)) {                                \
      ::threadref::testing::die(#call, __FILE__, __LINE__, threadref_error); \
    }                                                                        \
  } while (false)
