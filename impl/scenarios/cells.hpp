// SPDX-License-Identifier: MIT
// The product of the two tables: whether a back end runs a scenario, decided once, here.
#pragma once

#include <string>
#include <string_view>

#include "scenarios/scenarios.hpp"
#include "threadref/backend.hpp"

namespace threadref::scenarios {

enum class cell_status { run, not_applicable, deviates };

struct cell {
  const scenario* row;
  const backend_info* subject;
  cell_status status;
  std::string_view outcome;  // deviates: what must occur
  std::string_view why;      // for anything but run
};

// The deviation that the back end declares for that scenario or event; null: none.
constexpr const deviation* find_deviation(const backend_info& b, std::string_view where) {
  for (const deviation& d : b.deviations) {
    if (d.where == where) return &d;
  }
  return nullptr;
}

// A cell with a declared deviation runs like any other; if the outcome does not occur, the cell
// fails.
constexpr cell decide(const scenario& s, const backend_info& b) {
  if (!has(b.capabilities, s.needs)) {
    return {&s,
            &b,
            cell_status::not_applicable,
            {},
            "needs a capability that the back end does not claim"};
  }
  if (const deviation* const d = find_deviation(b, s.name))
    return {&s, &b, cell_status::deviates, d->outcome, d->why};
  return {&s, &b, cell_status::run, {}, {}};
}

constexpr std::string_view to_string(cell_status s) {
  constexpr std::string_view names[] = {"run", "n/a", "deviates"};
  return names[static_cast<int>(s)];
}

// The name of a stress cell, which --filter matches: <scenario>/<back end>.
inline std::string cell_name(const cell& c) {
  return std::string(c.row->name) + "/" + std::string(c.subject->name);
}

}  // namespace threadref::scenarios
