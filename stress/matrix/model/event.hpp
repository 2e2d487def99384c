// SPDX-License-Identifier: MIT
// A row of the guarantee matrix: something that happens to a thread or a process, and a question
// about it.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "stress/matrix/child/event_context.hpp"
#include "stress/matrix/model/outcome.hpp"

namespace threadref::stress {

struct event {
  // The same question is asked under each condition, in a child process of its own.
  struct condition {
    std::string_view name{};
    // A library for the child's LD_PRELOAD; "@<name>": a module beside the program.
    std::string_view preload{};
  };
  static constexpr std::size_t conditions_most = 10;

  std::string_view name;  // <group>/<event>: the first half of a cell's name
  std::string_view asks;  // the question that the outcome answers
  // Runs in the child. Returns what main() is to return.
  int (*run)(event_context&);
  // If it names none, there is one condition without a name.
  std::array<condition, conditions_most> conditions{};
  // Where the event comes from: numbers of checks, and lines of the list of bugs (bugs.hpp).
  std::string_view checks{};
  std::array<int, 6> bugs{};
  // What the outcome must be for the back ends of the contract.
  outcome promise = outcome::guaranteed;
  // Why the question does not apply to a mechanism; "": it does.
  std::string_view (*why_not)(const mechanism&) = nullptr;
  // Why the event is not run under a sanitizer; "": it is.
  std::string_view not_under_tsan{};
  std::string_view not_under_asan{};
  double cpu_seconds_given = 60;  // after that it counts as hanging (see hang_detector.hpp)
  bool slow = false;              // for the nightly run
  // The event loads the mechanism itself (loaded.hpp): its subject has a name and no functions.
  bool loads_itself = false;
};

inline std::size_t conditions_of(const event& e) noexcept {
  std::size_t n = 0;
  while (n != e.conditions.size() && !e.conditions[n].name.empty()) ++n;
  return n == 0 ? 1 : n;
}

// For why_not: what some events need and not every mechanism has.
inline std::string_view needs_detaching(const mechanism& m) {
  return m.attach_detachable == nullptr ? "it takes none out again" : "";
}
inline std::string_view needs_early(const mechanism& m) {
  return m.attach_early == nullptr ? "it has no other place for what needs thread_locals" : "";
}
inline std::string_view needs_watching(const mechanism& m) {
  return m.watch == nullptr ? "it has no weak reference to a thread" : "";
}
inline std::string_view needs_withdrawing(const mechanism& m) {
  return m.withdraw == nullptr ? "it does not take back what belongs to an object" : "";
}
inline std::string_view needs_identity(const mechanism& m) {
  return m.identity == nullptr ? "it does not say who a thread is" : "";
}
inline std::string_view needs_threads(const mechanism& m) {
  return m.threads == nullptr ? "it does not say which threads live" : "";
}
inline std::string_view needs_names(const mechanism& m) {
  return m.name_of == nullptr ? "it does not say what a thread is called" : "";
}
inline std::string_view needs_variables(const mechanism& m) {
  return m.attach_variable == nullptr ? "it has no destructors of variables" : "";
}

// The table of events, group by group: a group is a file in events/. There is no other list.
using event_group = std::span<const event> (*)();
std::span<const event_group> event_groups();

template <class F>
void for_each_event(F f) {
  for (const event_group group : event_groups()) {
    for (const event& e : group()) f(e);
  }
}

}  // namespace threadref::stress
