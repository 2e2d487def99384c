// SPDX-License-Identifier: MIT
#include "conformance/harness/suite.hpp"

#include <cstdlib>
#include <string_view>

#include "conformance/harness/built_out.hpp"
#include "conformance/harness/check_line.hpp"

namespace threadref::conformance {

namespace {

std::string_view name_of_this_check() {
  return ::testing::UnitTest::GetInstance()->current_test_info()->name();
}
// "c071_runs_on_the_smallest_stack" is check 71.
int number_of_this_check() {
  return std::atoi(name_of_this_check().data() + 1);
}

counters operator-(const counters& a, const counters& b) {
  return {.registered = a.registered - b.registered,
          .ran_at_exit = a.ran_at_exit - b.ran_at_exit,
          .ran_by_call = a.ran_by_call - b.ran_by_call,
          .detached = a.detached - b.detached,
          .dropped = a.dropped - b.dropped,
          .ran_at_process_exit = a.ran_at_process_exit - b.ran_at_process_exit,
          .forgotten = a.forgotten - b.forgotten,
          .abandoned = a.abandoned - b.abandoned};
}

}  // namespace

void expect_one_fate_each(const counters& all, std::uint64_t pending) {
  EXPECT_EQ(all.registered, all.ran_at_exit + all.ran_by_call + all.detached + all.dropped +
                                all.ran_at_process_exit + all.forgotten + all.abandoned + pending)
      << "I1: ran at exit " << all.ran_at_exit << ", by call " << all.ran_by_call << ", detached "
      << all.detached << ", dropped " << all.dropped << ", in the exit stage "
      << all.ran_at_process_exit << ", forgotten " << all.forgotten << ", abandoned "
      << all.abandoned;
}

void check_fixture::SetUp() {
  subject_.select();
  const std::string_view why = why_built_out(number_of_this_check());
  before_ = subject_.stats();
  blocks_before_ = subject_.blocks();
  os_thread::reset_peak();
  if (!why.empty()) GTEST_SKIP() << "not in this build: " << why;
  expected_ = declared_deviation(subject_.info, name_of_this_check());
  if (expected_ != nullptr) {
    interceptor_ = std::make_unique<::testing::ScopedFakeTestPartResultReporter>(
        ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ALL_THREADS, &intercepted_);
  }
}

bool check_fixture::claims(capability wanted, const char* why_not_needed) const {
  if (has(subject_.info.capabilities, wanted)) return true;
  RecordProperty("not_applicable", why_not_needed);
  return false;
}

counters check_fixture::delta() const {
  return subject_.stats() - before_;
}

void check_fixture::TearDown() {
  judge();
  if (interceptor_ != nullptr) end_deviation();
}

void check_fixture::end_deviation() {
  interceptor_.reset();
  bool failed = false;
  for (int i = 0; i != intercepted_.size(); ++i) {
    failed = failed || intercepted_.GetTestPartResult(i).failed();
  }
  EXPECT_TRUE(failed) << "the declared deviation does not occur: " << expected_->outcome;
  RecordProperty("deviation", std::string(expected_->outcome) + ": " + std::string(expected_->why));
}

void check_fixture::judge() {
  const counters now = delta();
  expect_one_fate_each(now);
  at_stake stake;
  for (const auto& l : lanes_) {
    stake |= l->stake();
    for (const std::string& fault : l->judge()) ADD_FAILURE() << "I1-I5: " << fault;
  }
  EXPECT_EQ(subject_.survivors(), "") << "I6: the back end believes that these threads still live";
  // Blocks of dead threads are reused, so no more exist than threads were alive at once; the slack
  // is for threads that the check starts by other means.
  constexpr std::size_t slack = 16;
  EXPECT_LE(subject_.blocks() - blocks_before_, static_cast<std::size_t>(os_thread::peak()) + slack)
      << "I6: blocks leak";
  // These show the canaries' driver which checks their faults affect. The counters include all that
  // ran at exit; the lanes do not, since not every check uses them.
  const auto left_to_exit = static_cast<std::int64_t>(now.registered - now.ran_by_call -
                                                      now.detached - now.dropped - now.abandoned);
  RecordProperty("left_to_exit", std::to_string(left_to_exit));
  RecordProperty("lane_left_to_exit", stake.any ? "1" : "0");
  RecordProperty("plain_at_bottom", stake.plain_at_bottom ? "1" : "0");
  RecordProperty("order_at_stake", stake.order ? "1" : "0");
}

void add_check(const check_place& at, std::span<const subject> all, check_fixture::body body) {
  for (const subject& each : all) {
    const std::string suite = std::string(at.section) + "/" + std::string(each.info.name);
    ::testing::RegisterTest(suite.c_str(), at.name, nullptr, nullptr, at.file, at.line,
                            [&each, body] { return new check_fixture(each, body); });
  }
}

}  // namespace threadref::conformance
