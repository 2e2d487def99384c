// SPDX-License-Identifier: MIT
// Runs the same checks over a back end that is broken on purpose, and requires that they notice:
// the check that is about its fault must fail, so must every other check that the fault affects,
// and every check that it can't affect must pass.
//
// usage: canary_threadref <canary> [as <another>]
//   as: judges it by the fault of another one, which must be reported as not caught
// exit status: 0 caught · 1 wrong use · 4 not caught, or a check failed that it can't affect
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conformance/harness/os_thread.hpp"
#include "conformance/harness/subjects.hpp"
#include "scenarios/canaries.hpp"
#include "testing/check.hpp"

std::span<const threadref::conformance::subject> threadref::conformance::others() {
  return rows_of<canaries>::all;
}

// What a canary loses also leaks. That is not reported a second time.
extern "C" int __lsan_is_turned_off();
int __lsan_is_turned_off() {
  return 1;
}

namespace {

using namespace threadref::testing;

// What must catch a canary. A check that left nothing to the exit of a thread can't notice any of
// them.
struct fault {
  std::string_view canary;
  const char* affected;       // the property, recorded by the fixture, of the checks it affects
  std::string_view named_by;  // the check that is about this fault
  std::string_view message;   // how the ledger reports it
};
constexpr fault faults[] = {
    {"canary_lossy", "left_to_exit", "c061_return", "never ran"},
    {"canary_twice", "plain_at_bottom", "c061_return", "ran more than once"},
    {"canary_reversed", "order_at_stake", "c029_newest_first", "ran out of turn"},
    {"canary_late_death", "lane_left_to_exit", "c006_all_refs_are_dead_at_the_first_callback",
     "saw a ref of its thread that did not read null"},
    {"canary_wrong_thread", "lane_left_to_exit",
     "c014_callbacks_run_on_their_thread_before_the_join", "ran after its thread had ended"},
};

// Fewer would mean that the fixture no longer records these properties.
constexpr int each_kind_min = 10;

long property(const ::testing::TestResult& result, std::string_view key) {
  for (int i = 0; i != result.test_property_count(); ++i) {
    if (result.GetTestProperty(i).key() == key) return std::atol(result.GetTestProperty(i).value());
  }
  return 0;
}

bool reports(const ::testing::TestResult& result, std::string_view expected) {
  for (int i = 0; i != result.total_part_count(); ++i) {
    const std::string_view message = result.GetTestPartResult(i).message();
    if (message.find(expected) != std::string_view::npos) return true;
  }
  return false;
}

struct tally {
  int caught = 0;
  int with_message = 0;  // of those
  int unaffected = 0;
  std::string named_by;  // the full name of the check, once it failed
  std::vector<std::string> complaints;
};

void judge(const ::testing::TestInfo& info, const fault& f, tally& sum) {
  const ::testing::TestResult& result = *info.result();
  if (!info.should_run() || result.Skipped()) return;
  const std::string name = std::string(info.test_suite_name()) + "." + info.name();
  if (result.Failed() && info.name() == f.named_by) sum.named_by = name;
  if (property(result, f.affected) > 0) {
    if (result.Failed()) {
      ++sum.caught;
      sum.with_message += reports(result, f.message) ? 1 : 0;
    } else {
      sum.complaints.push_back(name + " did not notice the fault");
    }
  } else if (property(result, "left_to_exit") == 0) {
    if (result.Passed()) {
      ++sum.unaffected;
    } else {
      sum.complaints.push_back(name + " failed although the fault can't affect it");
    }
  }
}

int report(const fault& f, tally sum) {
  if (sum.named_by.empty()) {
    sum.complaints.push_back(std::string(f.named_by) + ", which is about the fault, did not fail");
  }
  for (const auto& [count, what] :
       {std::pair{sum.caught, "checks caught it"},
        std::pair{sum.with_message, "of them reported the expected message"},
        std::pair{sum.unaffected, "checks were unaffected"}}) {
    if (count >= each_kind_min) continue;
    sum.complaints.push_back("only " + std::to_string(count) + " " + what);
  }
  const std::string verdict =
      sum.complaints.empty() ? "caught by " + sum.named_by + " and" : "NOT CAUGHT as it should be:";
  std::printf("%.*s: %s %d affected checks (%d report \"%.*s\"); %d others pass\n",
              static_cast<int>(f.canary.size()), f.canary.data(), verdict.c_str(), sum.caught,
              sum.with_message, static_cast<int>(f.message.size()), f.message.data(),
              sum.unaffected);
  for (const std::string& c : sum.complaints) std::printf("  %s\n", c.c_str());
  return sum.complaints.empty() ? status_fine : status_canary_missed;
}

int run(std::string_view canary, const fault& f) {
  threadref::conformance::deadline::set_patience(std::chrono::seconds(1));
  ::testing::UnitTest& all = *::testing::UnitTest::GetInstance();
  // Hundreds of failures are expected; nobody needs to read them.
  delete all.listeners().Release(all.listeners().default_result_printer());
  ::testing::GTEST_FLAG(filter) = "*/" + std::string(canary) + ".*";
  const bool all_passed = RUN_ALL_TESTS() == 0;
  tally sum;
  for (int s = 0; s != all.total_test_suite_count(); ++s) {
    const ::testing::TestSuite& suite = *all.GetTestSuite(s);
    for (int t = 0; t != suite.total_test_count(); ++t) judge(*suite.GetTestInfo(t), f, sum);
  }
  if (all_passed) sum.complaints.emplace_back("all checks passed");
  return report(f, sum);
}

const fault* find(std::string_view canary) {
  for (const fault& f : faults) {
    if (f.canary == canary) return &f;
  }
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const bool mistaken = argc == 4 && std::string_view(argv[2]) == "as";
  const fault* const f = argc == 2 || mistaken ? find(argv[argc - 1]) : nullptr;
  if (f != nullptr && find(argv[1]) != nullptr) return run(argv[1], *f);
  std::fprintf(stderr, "usage: canary_threadref <canary> [as <another>]; a canary is one of:");
  for (const fault& each : faults) {
    std::fprintf(stderr, " %.*s", static_cast<int>(each.canary.size()), each.canary.data());
  }
  std::fprintf(stderr, "\n");
  return status_wrong_use;
}
