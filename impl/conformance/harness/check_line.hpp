// SPDX-License-Identifier: MIT
// What a program that is no GoogleTest says of a check, for the table: one line for each back end.
// impl/cmake/check_results.cmake has the form.
#pragma once

#include <cstdio>
#include <string_view>

#include "threadref/backend.hpp"

namespace threadref::conformance {

inline const deviation* declared_deviation(const backend_info& subject, std::string_view check) {
  for (const deviation& d : subject.deviations) {
    if (check.starts_with(d.where)) return &d;
  }
  return nullptr;
}

// Passed; or, if the back end declares one for it, the deviation, which the caller has seen.
inline void print_check(std::string_view check, const backend_info& subject) {
  std::printf("check %.*s %.*s: ", static_cast<int>(check.size()), check.data(),
              static_cast<int>(subject.name.size()), subject.name.data());
  if (const deviation* d = declared_deviation(subject, check)) {
    std::printf("deviates %.*s: %.*s\n", static_cast<int>(d->outcome.size()), d->outcome.data(),
                static_cast<int>(d->why.size()), d->why.data());
  } else {
    std::printf("passed\n");
  }
}

inline void print_not_applicable(std::string_view check, const backend_info& subject,
                                 const char* why) {
  std::printf("check %.*s %.*s: n/a %s\n", static_cast<int>(check.size()), check.data(),
              static_cast<int>(subject.name.size()), subject.name.data(), why);
}

}  // namespace threadref::conformance
