// SPDX-License-Identifier: MIT
#include "stress/cli/options.hpp"

#include <gtest/gtest.h>

#include "stress/engine/draw.hpp"

namespace threadref::stress {
namespace {

const names known{{"alpha", "beta"}, {"canary_one"}, {"canary_rare"}};

options fine(const flag_values& given) {
  const parsed p = parse(given, known);
  EXPECT_TRUE(std::holds_alternative<options>(p)) << std::get<std::vector<std::string>>(p).front();
  return std::get<options>(p);
}

std::vector<std::string> refused(const flag_values& given) {
  const parsed p = parse(given, known);
  EXPECT_TRUE(std::holds_alternative<std::vector<std::string>>(p));
  const auto* messages = std::get_if<std::vector<std::string>>(&p);
  return messages != nullptr ? *messages : std::vector<std::string>{};
}

std::string only_message(const flag_values& given) {
  const std::vector<std::string> all = refused(given);
  EXPECT_EQ(all.size(), 1U);
  return all.empty() ? "" : all.front();
}

TEST(options, defaults) {
  const options o = fine({});
  EXPECT_EQ(o.what, task::run);
  EXPECT_FALSE(o.seed.has_value());
  EXPECT_EQ(o.seconds, default_seconds);
  EXPECT_EQ(o.threads, 0);
}

TEST(options, seed_is_a_number_or_a_hash) {
  EXPECT_EQ(fine({.seed = "17"}).seed, 17U);
  EXPECT_EQ(fine({.seed = "0x1F"}).seed, 31U);
  EXPECT_EQ(fine({.seed = "18446744073709551615"}).seed, ~0ULL);
  EXPECT_EQ(fine({.seed = "1a2b3c4"}).seed, 0x1a2b3c4U);
  EXPECT_EQ(fine({.seed = "0123456789abcdef0123456789abcdef01234567"}).seed, 0x0123456789abcdefU);
  for (const char* bad : {"xyz", "-1", "0x", "1a2b", "18446744073709551616", "1a2b3c4z", "3.5"})
    EXPECT_NE(only_message({.seed = bad}).find("not a seed"), std::string::npos) << bad;
}

TEST(options, time_has_a_unit_and_a_range) {
  EXPECT_EQ(fine({.time = "90s"}).seconds, 90);
  EXPECT_EQ(fine({.time = "1h30m"}).seconds, 5400);
  EXPECT_EQ(fine({.time = "1ms"}).seconds, 0.001);
  for (const char* bad : {"abc", "5", "-1s", "0s", "inf", "10000h", "1ns"})
    EXPECT_NE(only_message({.time = bad}).find(bad), std::string::npos) << bad;
}

TEST(options, counts_are_positive_and_bounded) {
  EXPECT_EQ(fine({.threads = "1"}).threads, 1);
  EXPECT_EQ(fine({.finalizers = "64"}).finalizers, 64);
  for (const char* bad : {"0", "-1", "abc", "1.5", "100001", "99999999999"}) {
    EXPECT_NE(only_message({.threads = bad}).find("whole number"), std::string::npos) << bad;
    EXPECT_NE(only_message({.finalizers = bad}).find("whole number"), std::string::npos) << bad;
  }
  const std::string too_much = only_message({.threads = "100000", .finalizers = "100000"});
  EXPECT_NE(too_much.find("ledger"), std::string::npos);
}

TEST(options, unknown_names_are_answered_with_the_valid_ones) {
  EXPECT_EQ(fine({.backend = "beta"}).backend, "beta");
  EXPECT_EQ(only_message({.backend = "gamma"}),
            "there is no back end 'gamma'; valid: alpha and beta");
  EXPECT_EQ(only_message({.backend = "alpha", .canaries = true}),
            "there is no canary 'alpha'; valid: canary_one");
  EXPECT_EQ(fine({.backend = "canary_one", .canaries = true}).backend, "canary_one");
  EXPECT_EQ(only_message({.backend = "canary_one", .rare = true}),
            "there is no canary 'canary_one'; valid: canary_rare");
  EXPECT_TRUE(fine({.backend = "canary_rare", .rare = true}).canaries);
}

TEST(options, a_program_without_canaries_says_so) {
  const names none{{"alpha"}, {}, {}};
  for (const flag_values& given : {flag_values{.canaries = true}, flag_values{.rare = true}}) {
    const parsed p = parse(given, none);
    ASSERT_TRUE(std::holds_alternative<std::vector<std::string>>(p));
    EXPECT_EQ(std::get<std::vector<std::string>>(p).front(),
              "this program was built without canaries; the preset release has them");
  }
}

TEST(options, filter_is_a_regular_expression) {
  EXPECT_NE(only_message({.filter = "("}).find("not a regular expression"), std::string::npos);
  const pattern p("^(churn|burst)/a");
  EXPECT_TRUE(p.found_in("burst/alpha"));
  EXPECT_FALSE(p.found_in("my_burst/alpha"));
}

TEST(options, contradictions_are_refused) {
  refused({.list = true, .describe = true});
  refused({.time = "1s", .smoke = true});
  refused({.threads = "2", .smoke = true});
  refused({.json = "x", .list = true});
  refused({.filter = "x", .describe = true});
  refused({.child = "x"});
}

TEST(options, all_mistakes_are_told_at_once) {
  const std::vector<std::string> wrong =
      refused({.seed = "x", .time = "x", .threads = "x", .unexpected = {"stray"}});
  EXPECT_EQ(wrong.size(), 4U);
}

TEST(draw, a_seed_and_a_name_decide) {
  EXPECT_EQ(mix(1, "churn/alpha"), mix(1, "churn/alpha"));
  EXPECT_NE(mix(1, "churn/alpha"), mix(1, "churn/beta"));
  EXPECT_NE(mix(1, "churn/alpha"), mix(2, "churn/alpha"));
  generator a(7);
  generator b(7);
  for (int i = 0; i != 1000; ++i) {
    const int drawn = draw(a, 3, 5);
    EXPECT_EQ(drawn, draw(b, 3, 5));
    EXPECT_TRUE(drawn >= 3 && drawn <= 5);
  }
}

// splitmix64's published sequence: a seed means the same forever.
TEST(draw, the_generator_is_the_published_one) {
  generator g(1234567);
  EXPECT_EQ(g(), 6457827717110365317U);
  EXPECT_EQ(g(), 3203168211198807973U);
}

}  // namespace
}  // namespace threadref::stress
