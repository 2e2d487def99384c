// SPDX-License-Identifier: MIT
#include "stress/accounting/growth.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "stress/engine/draw.hpp"

namespace threadref::stress {
namespace {

constexpr std::uint64_t threads_per_round = 1000;
constexpr std::uint64_t noise = 2048;

// The samples of `rounds` rounds, each of which leaks that much more per thread.
growth grown(int rounds, double bytes_per_thread, std::uint64_t seed) {
  generator from(seed);
  growth all;
  for (int i = 1; i <= rounds; ++i) {
    const std::uint64_t threads = threads_per_round * static_cast<std::uint64_t>(i);
    const auto leaked = static_cast<std::uint64_t>(bytes_per_thread * static_cast<double>(threads));
    all.add({threads, 100'000 + leaked + draw(from, std::uint64_t{0}, noise)});
  }
  return all;
}

TEST(growth, needs_three_rounds_after_the_warm_up) {
  EXPECT_FALSE(grown(3, 8, 1).fit().has_value());
  EXPECT_TRUE(grown(4, 8, 1).fit().has_value());
}

TEST(growth, eight_bytes_a_thread_are_found) {
  for (std::uint64_t seed = 0; seed != 1000; ++seed) {
    const std::optional<slope> s = grown(20, 8, seed).fit();
    ASSERT_TRUE(s.has_value());
    EXPECT_NEAR(s->bytes_per_thread, 8, 1) << seed;
    EXPECT_TRUE(s->grows()) << seed;
  }
}

TEST(growth, noise_is_not) {
  for (std::uint64_t seed = 0; seed != 1000; ++seed) {
    for (const int rounds : {4, 6, 20})
      EXPECT_FALSE(grown(rounds, 0, seed).fit()->grows()) << seed << " " << rounds;
  }
}

TEST(growth, nor_is_a_step_that_stays) {
  growth all;
  for (std::uint64_t i = 1; i <= 30; ++i)
    all.add({threads_per_round * i, i < 15 ? 100'000U : 1'000'000U});
  EXPECT_GT(all.fit()->bytes_per_thread, 8);
  EXPECT_FALSE(all.fit()->grows());
}

TEST(growth, many_rounds_are_thinned_out_evenly) {
  const std::optional<slope> s = grown(100'000, 8, 3).fit();
  EXPECT_NEAR(s->bytes_per_thread, 8, 0.01);
  // Three quarters of the rounds; the thinning may have dropped some of the last ones.
  EXPECT_NEAR(s->bytes, 8 * 75e6, 8 * 2e6);
}

TEST(growth, is_asked_of_the_allocator_of_this_process) {
  start_counting_bytes();
  const std::optional<std::uint64_t> before = bytes_in_use();
  if (!before) GTEST_SKIP() << "this allocator can't be asked";
  constexpr std::size_t size = 1 << 20;
  void* volatile some = std::malloc(size);  // volatile, or the optimiser removes it
  EXPECT_GE(*bytes_in_use(), *before + size);
  std::free(some);
  EXPECT_LT(*bytes_in_use(), *before + size);
  EXPECT_GT(resident_bytes(), size);
}

}  // namespace
}  // namespace threadref::stress
