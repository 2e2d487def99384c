// SPDX-License-Identifier: MIT
// How a program without GoogleTest reports a check for the table of checks: one line for each back
// end, in the form that impl/cmake/check_results.cmake describes. And deviations from checks.
#pragma once

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string>
#include <string_view>

#include "threadref/backend.hpp"

namespace threadref::conformance {

// Checks of such programs from which back ends deviate.
inline constexpr std::string_view no_memory_for_a_late_key = "c103_no_memory_for_a_late_key";
inline constexpr std::string_view memory_fails_at_each_call = "c104_memory_fails_at_each_call";
inline constexpr std::string_view checks_of_programs[] = {no_memory_for_a_late_key,
                                                          memory_fails_at_each_call};

// Does the deviation name checks ("c042_what_holds"), and not a scenario or an event?
constexpr bool names_checks(const deviation& d) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return d.where.size() > 5 && d.where[0] == 'c' && d.where[4] == '_' &&
         std::all_of(d.where.begin() + 1, d.where.begin() + 4, is_digit);
}

// False: it names a check, but none of these and none of a program.
template <class Names>
bool names_existing(const deviation& d, const Names& checks) {
  const auto is_meant = [&d](std::string_view check) { return check.starts_with(d.where); };
  return !names_checks(d) || std::any_of(std::begin(checks), std::end(checks), is_meant) ||
         std::any_of(std::begin(checks_of_programs), std::end(checks_of_programs), is_meant);
}

inline const deviation* declared_deviation(const backend_info& subject, std::string_view check) {
  for (const deviation& d : subject.deviations) {
    if (check.starts_with(d.where)) return &d;
  }
  return nullptr;
}

// Reports that the check passed; or the deviation that the back end declares, if it does. The
// caller has seen that it occurs.
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
