// SPDX-License-Identifier: MIT
// Runs the checks. Unlike gtest_main it fails when no check is selected, and at the end it prints
// what this build leaves out. When a check that ends a process starts it, it runs that check's
// scenario.
#include <gtest/gtest.h>

#include <cstdio>
#include <optional>
#include <set>
#include <string>

#include "conformance/harness/built_out.hpp"
#include "conformance/harness/check_line.hpp"
#include "conformance/harness/child.hpp"
#include "testing/check.hpp"
#include "threadref/threadref.hpp"

namespace {

using threadref::for_each_type;
using threadref::conformance::built_out;
using threadref::conformance::is_this;
using threadref::conformance::left_out;

// For the table of checks, which lists what each build leaves out.
class left_out_properties : public ::testing::Environment {
 public:
  void SetUp() override {
    for (const left_out& row : built_out) {
      ::testing::Test::RecordProperty(
          "left_out_" + std::to_string(row.check) + "_" + std::string(to_string(row.where)),
          std::string(row.why));
    }
  }
};

void print_left_out() {
  for (const left_out& row : built_out) {
    if (is_this(row.where)) {
      std::printf("left out of this build: check %d: %.*s\n", row.check,
                  static_cast<int>(row.why.size()), row.why.data());
    }
  }
}

std::set<std::string> names_of_checks() {
  const ::testing::UnitTest& all = *::testing::UnitTest::GetInstance();
  std::set<std::string> names;
  for (int s = 0; s != all.total_test_suite_count(); ++s) {
    const ::testing::TestSuite& suite = *all.GetTestSuite(s);
    for (int t = 0; t != suite.total_test_count(); ++t) names.insert(suite.GetTestInfo(t)->name());
  }
  return names;
}

// A row of built_out.hpp or a deviation that names no existing check has no effect and misleads.
// Only the program with all sections can tell.
bool every_row_names_a_check() {
  const std::set<std::string> checks = names_of_checks();
  bool fine = true;
  for (const left_out& row : built_out) {
    char prefix[16];
    std::snprintf(prefix, sizeof prefix, "c%03d_", row.check);
    const auto first = checks.lower_bound(prefix);
    const bool found = first != checks.end() && first->starts_with(prefix);
    if (!found)
      std::fprintf(stderr, "built_out.hpp names check %d, which does not exist\n", row.check);
    fine = fine && found;
  }
  for_each_type(threadref::backends{}, [&]<class B>() {
    for (const threadref::deviation& d : B::info.deviations) {
      if (threadref::conformance::names_existing(d, checks)) continue;
      std::fprintf(stderr, "%s deviates from %s, which does not exist\n", B::info.name.data(),
                   d.where.data());
      fine = false;
    }
  });
  return fine;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace threadref::testing;
  if (const std::optional<int> status = threadref::conformance::run_as_child(argc, argv))
    return *status;
  ::testing::InitGoogleTest(&argc, argv);
  if (THREADREF_ALL_SECTIONS && !every_row_names_a_check()) return status_wrong_use;
  ::testing::AddGlobalTestEnvironment(new left_out_properties);  // GoogleTest deletes it
  const int failed = RUN_ALL_TESTS();
  if (::testing::GTEST_FLAG(list_tests)) return status_fine;
  print_left_out();
  if (::testing::UnitTest::GetInstance()->test_to_run_count() == 0) {
    std::fprintf(stderr, "no check was selected; --gtest_list_tests names them\n");
    return status_wrong_use;
  }
  return failed != 0 ? status_forbidden : status_fine;
}
