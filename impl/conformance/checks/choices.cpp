// SPDX-License-Identifier: MIT
// What a program may configure before it uses the library: options.hpp. Each check runs in a
// process of its own.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "conformance/harness/child.hpp"
#include "conformance/harness/suite.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(choices);

constexpr std::uint64_t odd_limit = 101;

// The first one runs, and then as many as are allowed.
THREADREF_SCENARIO(c039_as_many_as_are_allowed_and_no_more) {
  if (configure({.late_registrations_max = odd_limit})) return 1;
  std::uint64_t runs = 0;
  os_thread([&runs] { finalize<B>(for_ever<B>{&runs}); }).join();
  out.note("ran", runs);
  return 0;
}
TYPED_TEST(choices, c039_as_many_as_are_allowed_and_no_more) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(end.trace, names{"ran " + std::to_string(odd_limit + 1) + "@main"});
}

// A late finalizer registers too many at once.
THREADREF_SCENARIO(c039_too_many_by_a_late_one_are_abandoned) {
  if (configure({.late_registrations_max = odd_limit})) return 1;
  std::uint64_t runs = 0;
  os_thread([&runs] {
    finalize<B>([&runs] {
      finalize<B>([&runs] {
        for (std::uint64_t i = 0; i != 2 * odd_limit; ++i) finalize<B>([&runs] { ++runs; });
      });
    });
  }).join();
  out.note("ran", runs);
  return 0;
}
TYPED_TEST(choices, c039_too_many_by_a_late_one_are_abandoned) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(end.trace, names{"ran 0@main"});
  EXPECT_EQ(end.stats.abandoned, 2 * odd_limit);
}

// The largest number means no limit.
THREADREF_SCENARIO(c039_the_largest_limit_abandons_nothing) {
  if (configure({.late_registrations_max = ~std::uint64_t{0}})) return 1;
  std::uint64_t runs = 0;
  os_thread([&runs] {
    finalize_in<B>(exit_phase::very_last, [&runs] { ++runs; });
    finalize<B>([&runs] { finalize<B>([&runs] { ++runs; }); });
  }).join();
  out.note("ran", runs);
  return 0;
}
TYPED_TEST(choices, c039_the_largest_limit_abandons_nothing) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(end.trace, names{"ran 2@main"});
}

// With one order for all threads, a registration's number is not a count of its thread's.
THREADREF_SCENARIO(c118_counting_in_the_order_of_all_threads) {
  if (configure({.adopt = true, .global_order = true})) return 1;
  constexpr std::uint64_t each = 1'000;
  std::atomic<int> running{2};
  const auto work = [&running] {
    for (std::uint64_t i = 0; i != each; ++i) finalize<B>([] {}).cancel();
    --running;
  };
  os_thread first(work);
  os_thread second(work);
  std::uint64_t last = 0;
  bool ever_less = false;
  while (running != 0) {
    const std::uint64_t now = stats<B>().registered;
    ever_less = ever_less || now < last || now > 2 * each;
    last = now;
  }
  first.join();
  second.join();
  out.note(ever_less ? "less" : "never less");
  out.note("in all", stats<B>().registered);
  return 0;
}
TYPED_TEST(choices, c118_counting_in_the_order_of_all_threads) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(end.trace, (names{"never less@main", "in all 2000@main"}));
}

}  // namespace
}  // namespace threadref::conformance
