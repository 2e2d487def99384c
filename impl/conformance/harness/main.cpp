// SPDX-License-Identifier: MIT
// Runs the checks. Unlike gtest_main it fails when no check was selected, and ends by saying what
// this build leaves out. Started by a check that ends a process, it runs that check's scenario.
#include <gtest/gtest.h>

#include <cstdio>
#include <optional>
#include <string>

#include "conformance/harness/built_out.hpp"
#include "conformance/harness/child.hpp"
#include "testing/check.hpp"

namespace {

using threadref::conformance::built_out;
using threadref::conformance::is_this;
using threadref::conformance::left_out;

// For the table of checks, which says it of all builds.
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

// A row about a check that does not exist would hide nothing, and mislead. Only the program of all
// sections can tell.
bool every_row_names_a_check() {
  const ::testing::UnitTest& all = *::testing::UnitTest::GetInstance();
  bool fine = true;
  for (const left_out& row : built_out) {
    char prefix[16];
    std::snprintf(prefix, sizeof prefix, "c%03d_", row.check);
    bool found = false;
    for (int s = 0; s != all.total_test_suite_count(); ++s) {
      const ::testing::TestSuite& suite = *all.GetTestSuite(s);
      for (int t = 0; t != suite.total_test_count(); ++t) {
        found = found || std::string(suite.GetTestInfo(t)->name()).rfind(prefix, 0) == 0;
      }
    }
    if (!found) std::fprintf(stderr, "built_out.hpp names check %d, which is none\n", row.check);
    fine = fine && found;
  }
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
