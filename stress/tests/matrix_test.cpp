// SPDX-License-Identifier: MIT
// How the matrix grades a record and judges a cell, and what its table of events must have.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <set>
#include <string>

#include "stress/matrix/model/bugs.hpp"
#include "stress/matrix/model/event.hpp"
#include "stress/matrix/runner/cell.hpp"
#include "stress/matrix/runner/trial.hpp"

namespace threadref::stress {

// stress_tests links no list of back ends, and these tests need none.
const mechanism* backend_mechanism(std::string_view /*name*/) {
  return nullptr;
}
const mechanism* canary_mechanism(std::string_view /*name*/) {
  return nullptr;
}

namespace {

// Statuses as waitpid() gives them.
constexpr int exited(int status) {
  return status << 8;
}
constexpr int killed_by(int signal) {
  return signal;
}

struct a_record : ::testing::Test {
  std::unique_ptr<event_record> left = std::make_unique<event_record>();

  registration& add(int ran, registration_status status = registration_status::accepted) {
    registration& r = left->registrations[left->used.fetch_add(1)];
    r.status.store(status);
    r.ran.store(static_cast<std::uint8_t>(ran));
    return r;
  }
  outcome graded(int status = exited(0)) { return grade(*left, status).is; }
};

TEST_F(a_record, in_which_all_ran_once_is_guaranteed) {
  add(1);
  add(0, registration_status::removed);
  EXPECT_EQ(graded(), outcome::guaranteed);
}

TEST_F(a_record, in_which_nothing_was_registered_says_nothing) {
  EXPECT_EQ(graded(), outcome::unknown);
}

TEST_F(a_record, is_as_bad_as_its_worst_callback) {
  add(1);
  add(0, registration_status::refused);
  EXPECT_EQ(graded(), outcome::refused);
  add(0);
  EXPECT_EQ(graded(), outcome::lost);
  add(1).on_other_thread.store(true);
  EXPECT_EQ(graded(), outcome::misplaced);
  add(2);
  EXPECT_EQ(graded(), outcome::doubled);
  const callback_counts f = grade(*left, exited(0)).callbacks;
  EXPECT_EQ(f.once + f.refused + f.lost + f.misplaced + f.doubled, 5U);
}

TEST_F(a_record, in_which_a_callback_ran_after_its_join_is_misplaced) {
  add(1).after_join.store(true);
  EXPECT_EQ(graded(), outcome::misplaced);
}

TEST_F(a_record, in_which_what_was_removed_or_refused_ran_is_doubled) {
  add(1, registration_status::removed);
  EXPECT_EQ(graded(), outcome::doubled);
  left = std::make_unique<event_record>();
  add(1, registration_status::refused);
  EXPECT_EQ(graded(), outcome::doubled);
}

TEST_F(a_record, asks_of_a_fork_only_what_it_announced) {
  add(1).ran_in_fork.store(1);
  EXPECT_EQ(graded(), outcome::doubled);
  left->registrations[0].expected_in_fork.store(true);
  EXPECT_EQ(graded(), outcome::guaranteed);
  left->registrations[0].ran_in_fork.store(0);
  EXPECT_EQ(graded(), outcome::lost);
}

TEST_F(a_record, whose_process_crashed_crashes_unless_it_said_so) {
  add(1);
  EXPECT_EQ(graded(killed_by(SIGSEGV)), outcome::crashes);
  EXPECT_EQ(graded(exited(66)), outcome::crashes);
  left->end.signal.store(SIGABRT);
  EXPECT_EQ(graded(killed_by(SIGABRT)), outcome::guaranteed);
  EXPECT_EQ(graded(exited(0)), outcome::crashes);
}

TEST_F(a_record, whose_process_was_killed_by_somebody_else_is_unknown) {
  add(1);
  EXPECT_EQ(graded(killed_by(SIGKILL)), outcome::unknown);
  EXPECT_EQ(graded(killed_by(SIGTERM)), outcome::unknown);
}

TEST_F(a_record, that_corrupts_says_what) {
  add(1);
  left->violations.store(1);
  std::string_view("somebody's key").copy(left->message.data(), left->message.size() - 1);
  const trial_result r = grade(*left, exited(0));
  EXPECT_EQ(r.is, outcome::corrupts);
  EXPECT_EQ(r.why, "somebody's key");
}

TEST_F(a_record, that_could_not_be_run_is_absent) {
  left->absent.store(true);
  EXPECT_EQ(graded(), outcome::absent);
  EXPECT_EQ(graded(killed_by(SIGSEGV)), outcome::crashes);
}

struct a_cell : ::testing::Test {
  event row{.name = "group/event", .asks = "is it?", .run = nullptr};
  backend_info info{.name = "some", .summary = ""};
  participant judged{.name = "some", .summary = "", .contract = &info};
  participant peer{.name = "peer", .summary = ""};

  event_cell with(const participant& column, std::initializer_list<outcome> conditions) {
    event_cell c;
    c.what = &row;
    c.subject = &column;
    for (const outcome o : conditions) {
      condition_result r;
      r.name = c.conditions.empty() ? "first" : "second";
      r.is = o;
      r.trials = r.trials_so = 1;
      c.conditions.push_back(r);
    }
    sum_up(c);
    return c;
  }
};

TEST_F(a_cell, is_conditional_if_it_is_good_in_one_and_bad_in_another) {
  const event_cell c = with(peer, {outcome::guaranteed, outcome::lost});
  EXPECT_EQ(c.is, outcome::conditional);
  EXPECT_EQ(c.why, "guaranteed: first; lost: second");
}

TEST_F(a_cell, says_the_worst_if_none_of_its_conditions_is_good) {
  EXPECT_EQ(with(peer, {outcome::lost, outcome::crashes}).is, outcome::crashes);
}

TEST_F(a_cell, leaves_out_conditions_that_are_absent) {
  EXPECT_EQ(with(peer, {outcome::guaranteed, outcome::absent}).is, outcome::guaranteed);
  EXPECT_EQ(with(peer, {outcome::absent, outcome::absent}).is, outcome::absent);
}

TEST_F(a_cell, of_a_peer_is_shown_and_not_judged) {
  EXPECT_EQ(with(peer, {outcome::crashes}).judged, verdict::passed);
  EXPECT_EQ(with(peer, {outcome::unknown}).judged, verdict::unknown);
}

TEST_F(a_cell, of_a_back_end_must_be_what_is_promised) {
  EXPECT_EQ(with(judged, {outcome::guaranteed}).judged, verdict::passed);
  EXPECT_EQ(with(judged, {outcome::guaranteed, outcome::lost}).judged, verdict::failed);
  EXPECT_EQ(with(judged, {outcome::refused}).judged, verdict::failed);
  row.promise = outcome::refused;
  EXPECT_EQ(with(judged, {outcome::refused, outcome::guaranteed}).judged, verdict::passed);
  row.promise = outcome::lost;
  EXPECT_EQ(with(judged, {outcome::guaranteed}).judged, verdict::failed);
}

TEST_F(a_cell, of_a_back_end_that_declares_a_deviation_must_show_it) {
  static constexpr deviation declared[] = {{"group/event", "lost", "because"}};
  info.deviations = declared;
  EXPECT_EQ(with(judged, {outcome::lost}).judged, verdict::passed);
  EXPECT_EQ(with(judged, {outcome::guaranteed}).judged, verdict::failed);
}

TEST(events, have_names_questions_and_promises_of_their_own) {
  std::set<std::string_view> names;
  for_each_event([&](const event& e) {
    EXPECT_TRUE(names.insert(e.name).second) << e.name << " twice";
    EXPECT_NE(e.name.find('/'), std::string_view::npos) << e.name;
    EXPECT_EQ(e.asks.back(), '?') << e.name;
    EXPECT_NE(e.run, nullptr) << e.name;
    EXPECT_LT(e.promise, outcome::unknown) << e.name;
  });
  EXPECT_FALSE(names.empty());
}

TEST(bugs, each_have_a_row_or_a_reason) {
  std::set<int> shown;
  for_each_event([&](const event& e) {
    for (const int b : e.bugs) {
      if (b != 0) shown.insert(b);
    }
  });
  std::set<int> lines;
  for (const bug& b : bugs) {
    EXPECT_TRUE(lines.insert(b.line).second) << b.line << " twice";
    EXPECT_NE(shown.contains(b.line), !b.why_no_row.empty()) << b.line << ": " << b.symptom;
  }
  EXPECT_EQ(*lines.rbegin(), static_cast<int>(lines.size())) << "a line is missing";
  for (const int b : shown) EXPECT_TRUE(lines.contains(b)) << "no bug has the number " << b;
}

}  // namespace

}  // namespace threadref::stress
