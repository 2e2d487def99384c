// SPDX-License-Identifier: MIT
// Runs the same checks over a back end that is broken on purpose, and demands that they find it
// out: every check that its fault concerns must fail, every check that it can't concern must pass.
//
// usage: canary_threadref <canary>
// exit status: 0 caught · 1 wrong use · 4 not caught, or blamed where it has no part
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/os_thread.hpp"
#include "scenarios/check.hpp"

// What a canary loses, leaks: that is no second finding.
extern "C" int __lsan_is_turned_off();
int __lsan_is_turned_off() {
  return 1;
}

namespace {

using namespace threadref::scenarios;

// Which property of a check, recorded by its fixture, says that it is about the fault. A check that
// left nothing to the exit of a thread can't notice either fault.
struct fault {
  std::string_view canary;
  const char* concerned;
};
constexpr fault faults[] = {
    {"canary_lossy", "left_to_exit"},     // anything was left to a thread's exit
    {"canary_twice", "plain_at_bottom"},  // and what it doubles is counted by id
};

// Fewer would mean that the fixture no longer records what this program looks for.
constexpr int each_kind_min = 10;

long property(const testing::TestResult& result, std::string_view key) {
  for (int i = 0; i != result.test_property_count(); ++i) {
    if (result.GetTestProperty(i).key() == key) return std::atol(result.GetTestProperty(i).value());
  }
  return 0;
}

struct tally {
  int caught = 0;
  int spared = 0;
  std::vector<std::string> complaints;
};

void judge(const testing::TestInfo& info, const fault& f, tally& sum) {
  const testing::TestResult& result = *info.result();
  if (!info.should_run() || result.Skipped()) return;
  const std::string name = std::string(info.test_suite_name()) + "." + info.name();
  if (property(result, f.concerned) > 0) {
    if (result.Failed()) {
      ++sum.caught;
    } else {
      sum.complaints.push_back(name + " did not notice the fault");
    }
  } else if (property(result, "left_to_exit") == 0) {
    if (result.Passed()) {
      ++sum.spared;
    } else {
      sum.complaints.push_back(name + " failed although the fault can't concern it");
    }
  }
}

int run(const fault& f) {
  threadref::conformance::gate::set_patience(1);  // what would open a gate may be lost
  testing::UnitTest& all = *testing::UnitTest::GetInstance();
  // Hundreds of failures are what is wanted; nobody needs to read them.
  delete all.listeners().Release(all.listeners().default_result_printer());
  const bool all_passed = RUN_ALL_TESTS() == 0;
  tally sum;
  for (int s = 0; s != all.total_test_suite_count(); ++s) {
    const testing::TestSuite& suite = *all.GetTestSuite(s);
    for (int t = 0; t != suite.total_test_count(); ++t) judge(*suite.GetTestInfo(t), f, sum);
  }
  std::printf("%.*s: caught by %d checks, spared by %d that it does not concern\n",
              static_cast<int>(f.canary.size()), f.canary.data(), sum.caught, sum.spared);
  for (const std::string& c : sum.complaints) std::printf("  %s\n", c.c_str());
  const bool fine = !all_passed && sum.complaints.empty() && sum.caught >= each_kind_min &&
                    sum.spared >= each_kind_min;
  return fine ? status_fine : status_canary_missed;
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (const fault& f : faults) {
    if (argc != 2 || f.canary != argv[1]) continue;
    const std::string only = std::string("*/") + argv[1] + ".*";
    testing::GTEST_FLAG(filter) = only;
    return run(f);
  }
  std::fprintf(stderr, "usage: canary_threadref <canary>; a canary is one of:");
  for (const fault& f : faults) {
    std::fprintf(stderr, " %.*s", static_cast<int>(f.canary.size()), f.canary.data());
  }
  std::fprintf(stderr, "\n");
  return status_wrong_use;
}
