// SPDX-License-Identifier: MIT
// The ledger must count each finalizer under one name, and grading must follow the table alone.
#include "stress/accounting/ledger.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace threadref::stress {
namespace {

struct one_thread : ::testing::Test {
  one_thread() { finalizer_ledger::enter(r); }
  ~one_thread() override { my_number = 0; }
  one_thread(const one_thread&) = delete;
  one_thread& operator=(const one_thread&) = delete;
  // The outcomes of all finalizers.
  tally tallied() {
    tally t;
    ledger.tally_outcomes(t);
    return t;
  }
  void expect(std::string_view name, std::uint64_t count = 1) {
    const tally t = tallied();
    EXPECT_EQ(t.count(name), count);
    EXPECT_EQ(t.sum(), r.registered.load());
  }
  finalizer_ledger ledger{2, 8};
  record& r = ledger.open(0, 1);
};

TEST_F(one_thread, once) {
  const auto a = ledger.push(r);
  const auto b = ledger.push(r);
  ledger.fire(r, b);
  ledger.fire(r, a);
  expect("once", 2);
}

TEST_F(one_thread, lost_and_twice_do_not_cancel_out) {
  const auto a = ledger.push(r);
  ledger.push(r);
  ledger.fire(r, a);
  ledger.fire(r, a);
  const tally t = tallied();
  EXPECT_EQ(t.count("lost"), 1U);
  EXPECT_EQ(t.count("twice"), 1U);
  EXPECT_EQ(ledger.sum().ran_at_exit, 2U);
}

TEST_F(one_thread, misordered_is_the_one_that_was_overtaken) {
  const auto a = ledger.push(r);
  const auto b = ledger.push(r);
  ledger.fire(r, a);
  ledger.fire(r, b);
  const tally t = tallied();
  EXPECT_EQ(t.count("misordered"), 1U);
  EXPECT_EQ(t.count("once"), 1U);
}

TEST_F(one_thread, what_is_registered_meanwhile_comes_next) {
  const auto a = ledger.push(r);
  const auto b = ledger.push(r);
  ledger.fire(r, b);
  const auto late = ledger.push(r);
  ledger.fire(r, late);
  ledger.fire(r, a);
  expect("once", 3);
}

TEST_F(one_thread, a_taken_one_may_be_passed_over) {
  const auto a = ledger.push(r);
  const auto b = ledger.push(r);
  ledger.fire(r, a);
  ledger.detached(r, b);
  const tally t = tallied();
  EXPECT_EQ(t.count("taken"), 1U);
  EXPECT_EQ(t.count("once"), 1U);
  EXPECT_EQ(ledger.sum().detached, 1U);
}

TEST_F(one_thread, after_detach) {
  const auto a = ledger.push(r);
  ledger.detached(r, a);
  ledger.fire(r, a);
  expect("after_detach");
}

TEST_F(one_thread, a_call_is_not_an_exit) {
  const auto a = ledger.push(r);
  explicit_run run(r, a);
  ledger.fire(r, a);
  ledger.called(r, a, run.ran);
  expect("taken");
  EXPECT_EQ(ledger.sum().ran_by_call, 1U);
  EXPECT_EQ(ledger.sum().ran_at_exit, 0U);
}

TEST_F(one_thread, a_call_that_ran_nothing_loses_it) {
  ledger.called(r, ledger.push(r), 0);
  expect("lost");
}

TEST_F(one_thread, wrong_thread) {
  const auto a = ledger.push(r);
  std::thread([this, a] { ledger.fire(r, a); }).join();
  expect("wrong_thread");
}

TEST_F(one_thread, after_join) {
  const auto a = ledger.push(r);
  finalizer_ledger::joined(r);
  ledger.fire(r, a);
  expect("after_join");
}

TEST_F(one_thread, seen_alive) {
  const auto a = ledger.push(r);
  r.ref_alive = [](const void* /*ref*/) { return true; };
  ledger.fire(r, a);
  expect("seen_alive");
}

TEST_F(one_thread, leaked) {
  const auto a = ledger.push(r, mark::has_token);
  ledger.fire(r, a);
  EXPECT_TRUE(ledger.holds_token(r, a));
  expect("leaked");
  ledger.token_gone(r, a);
  expect("once");
}

TEST_F(one_thread, dropped_and_after_drop) {
  const auto a = ledger.push(r, mark::is_ref);
  const auto b = ledger.push(r, mark::is_ref);
  ledger.dropped(r, a);
  ledger.dropped(r, b);
  ledger.fire(r, b);
  const tally t = tallied();
  EXPECT_EQ(t.count("dropped"), 1U);
  EXPECT_EQ(t.count("after_drop"), 1U);
  EXPECT_EQ(ledger.sum().dropped, 1U);
}

// A drop by another thread proves something only if a younger finalizer runs after it.
TEST_F(one_thread, a_foreign_drop_may_meet_a_callback_that_is_claimed) {
  const auto a = ledger.push(r, mark::is_ref);
  const auto b = ledger.push(r);
  const auto c = ledger.push(r, mark::is_ref);
  std::thread([&] { ledger.dropped(r, c); }).join();
  ledger.fire(r, c);
  std::thread([&] { ledger.dropped(r, a); }).join();
  ledger.fire(r, b);
  ledger.fire(r, a);
  const tally t = tallied();
  EXPECT_EQ(t.count("once"), 2U);
  EXPECT_EQ(t.count("after_drop"), 1U);
}

TEST_F(one_thread, refused_is_no_registration) {
  ledger.refused(r, ledger.push(r));
  expect("refused");
  EXPECT_EQ(ledger.sum().registered, 0U);
}

TEST_F(one_thread, a_run_of_nothing_is_told) {
  ledger.fire(r, 5);
  EXPECT_EQ(tallied().count("wrong_thread"), 1U);
}

TEST_F(one_thread, a_full_record_gives_no_id) {
  for (int i = 0; i != 8; ++i) EXPECT_NE(ledger.push(r), no_id);
  EXPECT_EQ(ledger.push(r), no_id);
}

constexpr backend_info subject{.name = "some", .summary = "", .deviations = {}};
const scenarios::cell churn = scenarios::decide(scenarios::row(scenarios::id::churn), subject);

TEST(grading, nothing_seen_is_unknown) {
  EXPECT_EQ(judge(churn, {}).is, verdict::unknown);
}

TEST(grading, acceptable_passes_forbidden_and_undeclared_fail) {
  tally t;
  t.add("once", 10);
  EXPECT_EQ(judge(churn, t).is, verdict::passed);
  tally forbidden = t;
  forbidden.add("lost", 1);
  EXPECT_EQ(judge(churn, forbidden).is, verdict::failed);
  EXPECT_EQ(judge(churn, forbidden).outcomes.front().name, "lost");
  tally undeclared = t;
  undeclared.add("something_else", 1);
  EXPECT_EQ(judge(churn, undeclared).is, verdict::failed);
}

TEST(grading, interesting_passes_and_is_shown) {
  tally t;
  t.add("cut_off", 3);
  const scenarios::cell pool = scenarios::decide(scenarios::row(scenarios::id::pool), subject);
  EXPECT_EQ(judge(pool, t).is, verdict::passed);
  EXPECT_TRUE(judge(pool, t).interesting);
}

TEST(grading, a_deviation_must_show_up) {
  scenarios::cell deviating = churn;
  deviating.status = scenarios::cell_status::deviates;
  deviating.outcome = "lost";
  deviating.why = "the mechanism loses it";
  tally t;
  t.add("once", 1);
  EXPECT_EQ(judge(deviating, t).is, verdict::failed);
  t.add("lost", 1);
  EXPECT_EQ(judge(deviating, t).is, verdict::passed);
}

}  // namespace
}  // namespace threadref::stress
