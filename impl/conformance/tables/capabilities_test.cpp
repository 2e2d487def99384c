// SPDX-License-Identifier: MIT
// A back end declares its capabilities and deviations in its own header, and nowhere else. Whether
// they are true is what the checks and the scenarios show. This file checks that they are complete,
// that they do not contradict each other, and that each deviation names something that exists.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/harness/check_line.hpp"
#include "conformance/harness/mechanism.hpp"
#include "scenarios/canaries.hpp"
#include "scenarios/scenarios.hpp"
#include "threadref/backends.hpp"

namespace threadref::conformance {
namespace {

using faults = std::vector<std::string>;

enum class hook { one_per_thread, direct };

constexpr capability every_capability = capability::after_thread_locals |
                                        capability::among_thread_locals | capability::interleaved |
                                        capability::inside_malloc;

faults faults_of_capabilities(const backend_info& b, hook h) {
  faults found;
  const auto require = [&found](bool holds, const char* message) {
    if (!holds) found.emplace_back(message);
  };
  const bool among = has(b.capabilities, capability::among_thread_locals);
  require(has(every_capability, b.capabilities), "it claims an unknown capability");
  require(has(b.capabilities, capability::after_thread_locals) != among,
          "finalizers run either after all thread_locals or among them");
  if (has(b.capabilities, capability::interleaved)) {
    require(among, "finalizers that are interleaved run among the thread_locals");
    require(h == hook::direct, "only a direct back end has an entry for each finalizer");
  }
  if (has(b.capabilities, capability::inside_malloc)) {
    require(record_of(b) == thread_record::none && h != hook::direct,
            "what the system stores for a thread needs malloc");
  }
  require(!b.foreign_record || !among,
          "the record of the thread is another library's or the C library's");
  return found;
}

bool is_a_scenario(std::string_view name) {
  return std::any_of(std::begin(scenarios::table), std::end(scenarios::table),
                     [name](const scenarios::scenario& s) { return s.name == name; });
}

// An event of the stress matrix, <group>/<event>. Their table is not known here.
bool is_an_event(std::string_view name) {
  const std::size_t slash = name.find('/');
  return slash != std::string_view::npos && slash != 0 && slash + 1 != name.size();
}

faults faults_of_deviations(const backend_info& b) {
  faults found;
  const auto require = [&found](bool holds, const deviation& d, const char* message) {
    if (!holds) found.push_back(std::string(d.where) + ": " + message);
  };
  for (const deviation& d : b.deviations) {
    require(!d.outcome.empty() && !d.why.empty(), d, "without an outcome or a reason");
    require(names_checks(d) || is_a_scenario(d.where) || is_an_event(d.where), d,
            "no check, scenario or event");
    // The first one found would hide the other.
    const auto covers = [&d](const deviation& other) {
      return names_checks(d) ? d.where.starts_with(other.where) : d.where == other.where;
    };
    require(std::count_if(b.deviations.begin(), b.deviations.end(), covers) == 1, d,
            "declared twice");
  }
  return found;
}

template <class B>
constexpr hook hook_of = detail::direct_hook<B> ? hook::direct : hook::one_per_thread;

template <class List>
void expect_sound(List all) {
  for_each_type(all, []<class B>() {
    EXPECT_EQ(faults_of_capabilities(B::info, hook_of<B>), faults{}) << B::info.name;
    EXPECT_EQ(faults_of_deviations(B::info), faults{}) << B::info.name;
  });
}

TEST(declarations, of_back_ends_and_canaries_do_not_contradict_themselves) {
  expect_sound(backends{});
  expect_sound(canaries{});
  expect_sound(rare_canaries{});
}

// --- Each fault is planted once, and must be found.

backend_info with(capability claimed) {
  return {.name = "planted", .summary = "", .capabilities = claimed};
}

TEST(declarations, planted_faults_of_capabilities_are_found) {
  using enum capability;
  constexpr auto unknown = static_cast<capability>(1U << 31U);
  const auto count = [](const backend_info& b, hook h = hook::one_per_thread) {
    return faults_of_capabilities(b, h).size();
  };
  EXPECT_EQ(count(with(after_thread_locals | inside_malloc)), 0U);
  EXPECT_EQ(count(with(among_thread_locals | interleaved), hook::direct), 0U);
  EXPECT_EQ(count(with(none)), 1U);
  EXPECT_EQ(count(with(after_thread_locals | among_thread_locals)), 1U);
  EXPECT_EQ(count(with(after_thread_locals | unknown)), 1U);
  EXPECT_EQ(count(with(after_thread_locals | interleaved), hook::direct), 1U);
  EXPECT_EQ(count(with(among_thread_locals | interleaved)), 1U);
  EXPECT_EQ(count(with(among_thread_locals | inside_malloc)), 1U);
  EXPECT_EQ(count(with(after_thread_locals | inside_malloc), hook::direct), 1U);
  backend_info foreign = with(after_thread_locals);
  foreign.foreign_record = true;
  EXPECT_EQ(count(foreign), 0U);
  foreign.capabilities = after_thread_locals | inside_malloc;
  EXPECT_EQ(count(foreign), 1U);
  foreign.capabilities = among_thread_locals;
  EXPECT_EQ(count(foreign), 1U);
}

TEST(declarations, planted_faults_of_deviations_are_found) {
  const auto count = [](const auto& declared) {
    backend_info b = with(capability::after_thread_locals);
    b.deviations = declared;
    return faults_of_deviations(b).size();
  };
  using two = std::array<deviation, 2>;
  EXPECT_EQ(count(two{{{"c001_some", "fails", "because"}, {"churn", "lost", "because"}}}), 0U);
  EXPECT_EQ(count(two{{{"c001_some", "fails", "because"}, {"end/event", "lost", "because"}}}), 0U);
  EXPECT_EQ(count(two{{{"c001_some", "", "because"}, {"churn", "lost", ""}}}), 2U);
  EXPECT_EQ(count(two{{{"c01_some", "fails", "because"}, {"churm", "lost", "because"}}}), 2U);
  EXPECT_EQ(count(two{{{"c001_some", "fails", "because"}, {"c001_some_more", "fails", "because"}}}),
            1U);
  EXPECT_EQ(count(two{{{"churn", "lost", "because"}, {"churn", "twice", "because"}}}), 2U);
}

TEST(declarations, a_planted_deviation_from_a_check_that_does_not_exist_is_found) {
  const std::vector<std::string> checks = {"c029_newest_first"};
  EXPECT_TRUE(names_existing({"c029_newest", "", ""}, checks));
  EXPECT_TRUE(names_existing({memory_fails_at_each_call, "", ""}, checks));
  EXPECT_TRUE(names_existing({"end/event", "", ""}, checks)) << "not a check";
  EXPECT_FALSE(names_existing({"c029_oldest", "", ""}, checks));
  EXPECT_FALSE(names_existing({"c030_newest_first", "", ""}, checks));
}

}  // namespace
}  // namespace threadref::conformance
