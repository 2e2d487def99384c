// SPDX-License-Identifier: MIT
// A row of the guarantee matrix: what happens to a thread or a process, and what to ask about it.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "stress/matrix/child/event_context.hpp"
#include "stress/matrix/model/outcome.hpp"

namespace threadref::stress {

struct event {
  // Conditions under which the same question is asked, each in a child process of its own.
  struct condition {
    std::string_view name{};  // completes "...: under this condition"
    // Libraries that the child starts with, as LD_PRELOAD wants them; "@<name>": a module beside
    // the program.
    std::string_view preload{};
  };
  static constexpr std::size_t conditions_most = 10;

  std::string_view name;  // <group>/<event>: the first half of a cell's name
  std::string_view asks;  // the question that the word answers
  // In the child: what happens. Returns what main() returns.
  int (*run)(event_context&);
  // One unnamed condition if it says none.
  std::array<condition, conditions_most> conditions{};
  // Where it comes from: numbers of conformance.md, and lines of the list of bugs (bugs.hpp).
  std::string_view checks{};
  std::array<int, 6> bugs{};
  // What the back ends of the contract must say.
  word promise = word::guaranteed;
  // Why the question makes no sense for a mechanism; "": it does.
  std::string_view (*why_not)(const mechanism&) = nullptr;
  // Why it says nothing under a sanitizer; "": it does.
  std::string_view not_under_tsan{};
  std::string_view not_under_asan{};
  double cpu_seconds_given = 60;  // then it hangs, unless it sleeps before (see patience.hpp)
  bool slow = false;              // for the night
  // It loads what registers itself (loaded.hpp): of its subject only the name is known.
  bool loads_itself = false;
};

inline std::size_t conditions_of(const event& e) noexcept {
  std::size_t n = 0;
  while (n != e.conditions.size() && !e.conditions[n].name.empty()) ++n;
  return n == 0 ? 1 : n;
}

// What events need and not every mechanism has, for why_not.
inline std::string_view needs_detaching(const mechanism& m) {
  return m.attach_detachable == nullptr ? "it takes none out again" : "";
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

// THE TABLE OF EVENTS, group by group: a group is a file in events/. Nothing repeats it.
using event_group = std::span<const event> (*)();
std::span<const event_group> event_groups();

template <class F>
void for_each_event(F f) {
  for (const event_group group : event_groups()) {
    for (const event& e : group()) f(e);
  }
}

}  // namespace threadref::stress
