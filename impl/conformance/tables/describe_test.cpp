// SPDX-License-Identifier: MIT
// The tables of back ends and scenarios and their cells, as --describe prints them.
#include "scenarios/describe.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "scenarios/canaries.hpp"
#include "scenarios/cells.hpp"
#include "threadref/backends.hpp"

namespace threadref::scenarios {
namespace {

TEST(describe, is_one_json_document_with_its_schema_first) {
  const auto doc = nlohmann::ordered_json::parse(describe());
  EXPECT_EQ(doc.begin().key(), "schema");
  EXPECT_EQ(doc["schema"], 1);
  for (const char* key : {"version", "commit", "build_type", "compiler", "default_backend"}) {
    EXPECT_FALSE(doc[key].get<std::string>().empty()) << key;
  }
}

TEST(describe, lists_the_back_ends_of_this_build) {
  const auto doc = nlohmann::json::parse(describe());
  EXPECT_EQ(doc["backends"].size(), backends::size);
  EXPECT_EQ(doc["canaries"].size(), canaries::size);
  EXPECT_EQ(doc["rare_canaries"].size(), rare_canaries::size);
  EXPECT_EQ(doc["scenarios"].size(), std::size(table));
  std::set<std::string> names;
  for (const auto& b : doc["backends"]) {
    names.insert(b["name"]);
    EXPECT_FALSE(b["summary"].get<std::string>().empty()) << b["name"];
  }
  EXPECT_EQ(names.size(), backends::size);
  EXPECT_EQ(names.count(doc["default_backend"].get<std::string>()), 1U);
  for (const auto& a : doc["absent"]) EXPECT_FALSE(a["why"].get<std::string>().empty());
}

TEST(describe, has_a_cell_for_every_back_end_and_scenario) {
  const auto doc = nlohmann::json::parse(describe());
  std::set<std::pair<std::string, std::string>> cells;
  for (const auto& c : doc["cells"]) {
    cells.emplace(c["backend"], c["scenario"]);
    EXPECT_EQ(c.contains("why"), c["status"] != "run")
        << "a cell that does not simply run needs a reason";
  }
  EXPECT_EQ(cells.size(), doc["cells"].size()) << "a cell occurs twice";
  for (const auto& b : doc["backends"]) {
    for (const auto& s : doc["scenarios"]) {
      EXPECT_EQ(cells.count({b["name"], s["name"]}), 1U) << b["name"] << " x " << s["name"];
    }
  }
}

constexpr deviation declared[] = {{"churn", "lost", "it is only a test"}};
constexpr backend_info plain{.name = "plain", .summary = "claims nothing"};
constexpr backend_info deviant{.name = "deviant",
                               .summary = "deviates in one scenario",
                               .capabilities = capability::after_thread_locals,
                               .deviations = declared};
constexpr scenario needs_more{.key = id::churn,
                              .name = "needs_more",
                              .asks = "?",
                              .tools = tool::stress,
                              .needs = capability::after_thread_locals};

TEST(decide, a_capability_that_is_not_claimed_makes_the_cell_not_applicable) {
  const cell c = decide(needs_more, plain);
  EXPECT_EQ(c.status, cell_status::not_applicable);
  EXPECT_EQ(to_string(c.status), "n/a");
  EXPECT_FALSE(c.why.empty());
  EXPECT_EQ(decide(needs_more, deviant).status, cell_status::run);
}

TEST(decide, a_declared_deviation_names_its_outcome_and_reason) {
  const cell c = decide(row(id::churn), deviant);
  EXPECT_EQ(c.status, cell_status::deviates);
  EXPECT_EQ(c.outcome, "lost");
  EXPECT_EQ(c.why, "it is only a test");
  EXPECT_EQ(decide(row(id::burst), deviant).status, cell_status::run);
  EXPECT_EQ(decide(row(id::churn), plain).status, cell_status::run);
}

TEST(decide, a_cell_is_named_after_scenario_and_back_end) {
  EXPECT_EQ(cell_name(decide(row(id::churn), plain)), "churn/plain");
}

}  // namespace
}  // namespace threadref::scenarios
