// SPDX-License-Identifier: MIT
#include <absl/strings/str_format.h>

#include <nlohmann/json.hpp>

#include "scenarios/describe.hpp"
#include "stress/matrix/report/report.hpp"
#include "stress/matrix/runner/advice.hpp"
#include "testing/build_info.hpp"

namespace threadref::stress {

namespace {

using json = nlohmann::ordered_json;

json condition_json(const condition_result& r) {
  return {{"condition", r.name},
          {"word", to_string(r.is)},
          {"why", r.why},
          {"trials", r.trials},
          {"trials_so", r.trials_so},
          {"callbacks",
           {{"once", r.callbacks.once},
            {"refused", r.callbacks.refused},
            {"lost", r.callbacks.lost},
            {"misplaced", r.callbacks.misplaced},
            {"doubled", r.callbacks.doubled}}}};
}

// All events, whether this run had them or not.
json rows_json() {
  json rows = json::array();
  for_each_event([&rows](const event& e) {
    json bugs = json::array();
    for (const int b : e.bugs) {
      if (b != 0) bugs.push_back(b);
    }
    rows.push_back({{"event", e.name},
                    {"asks", e.asks},
                    {"checks", e.checks},
                    {"bugs", bugs},
                    {"promise", to_string(e.promise)},
                    {"slow", e.slow}});
  });
  return rows;
}

json columns_json(const matrix_result& r) {
  json columns = json::array();
  for (const participant& p : r.participants) {
    columns.push_back(
        {{"mechanism", p.name}, {"summary", p.summary}, {"contract", p.contract != nullptr}});
  }
  return columns;
}

}  // namespace

json events_json(const matrix_result& r) {
  json cells = json::array();
  for (const event_cell& c : r.cells) {
    json conditions = json::array();
    for (const condition_result& k : c.conditions) conditions.push_back(condition_json(k));
    cells.push_back({{"cell", cell_name(*c.what, *c.subject)},
                     {"event", c.what->name},
                     {"mechanism", c.subject->name},
                     {"word", to_string(c.is)},
                     {"why", c.why},
                     {"verdict", to_string(c.judged)},
                     {"promise", c.promise},
                     {"conditions", conditions},
                     {"seconds", c.seconds},
                     {"again", c.again}});
  }
  return cells;
}

std::string matrix_json(const program_info& program, const matrix_result& r) {
  const testing::build_info& b = testing::this_build();
  json advice = json::array();
  for (const std::string& s : matrix_advice(r)) advice.push_back(s);
  const json doc{{"schema", 1},
                 {"program", program.name},
                 {"version", b.version},
                 {"commit", b.commit},
                 {"compiler", b.compiler},
                 {"build_type", b.build_type},
                 {"seed", absl::StrFormat("0x%x", r.seed)},
                 {"trials", r.trials},
                 {"sentences", advice},
                 {"rows", rows_json()},
                 {"columns", columns_json(r)},
                 {"cells", events_json(r)},
                 {"interrupted", r.interrupted},
                 {"seconds", r.seconds}};
  return doc.dump(1) + "\n";
}

std::string whole_json(const program_info& program, const run_result& scenarios,
                       const matrix_result& events) {
  json doc = run_json(program, scenarios);
  doc["events"] = events_json(events);
  return doc.dump(2) + "\n";
}

}  // namespace threadref::stress
