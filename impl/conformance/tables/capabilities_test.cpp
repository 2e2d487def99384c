// SPDX-License-Identifier: MIT
// THE TABLE OF WHAT BACK ENDS MAY CLAIM AND WHERE THEY MAY DEVIATE: nobody adds a capability or a
// deviation in a back end's folder without a row here, which says why; and no row outlives what it
// allows.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>

#include "threadref/backends.hpp"

namespace threadref::conformance {
namespace {

struct allowed_capability {
  std::string_view backend;
  capability what;
  std::string_view why;
};

constexpr std::string_view by_a_key = "its hook is a key's destructor, and keys come later";
constexpr std::string_view by_the_c_library =
    "its hook is in the C library's list of thread_local destructors";
constexpr std::string_view without_memory =
    "below index 32 a key's value takes no memory, and the core takes its own from the system";

constexpr allowed_capability capabilities[] = {
    {"cxx_thread_local", capability::among_thread_locals, by_the_c_library},
    {"pthread_key", capability::after_thread_locals, by_a_key},
    {"pthread_key", capability::inside_malloc, without_memory},
    {"c11_tss", capability::after_thread_locals, by_a_key},
    {"boost_tss", capability::after_thread_locals, by_a_key},
    {"cxa_thread_atexit", capability::among_thread_locals, by_the_c_library},
    {"cxa_thread_atexit", capability::interleaved, "each finalizer is an entry of that list"},
    {"boost_at_thread_exit", capability::after_thread_locals,
     "Boost runs its list from a key's destructor"},
    {"registry", capability::after_thread_locals, by_a_key},
    {"registry", capability::inside_malloc, without_memory},
    {"registry_bulk", capability::after_thread_locals, by_a_key},
    {"registry_bulk", capability::inside_malloc, without_memory},
};

struct allowed_deviation {
  std::string_view backend;
  std::string_view where;    // as in its info: a scenario, or what a check's name begins with
  std::string_view outcome;  // as in its info, where the reason stands too
};

constexpr allowed_deviation deviations[] = {
    {"cxa_thread_atexit", "c064_a_long_life_of_register_and_cancel",
     "it takes memory until the thread ends"},
    {"cxa_thread_atexit", "c064_nor_when_another_thread_cancels",
     "it takes memory until the thread ends"},
    {"cxa_thread_atexit", "end/long_life", "grows"},
    {"cxa_thread_atexit", "c013_a_handle_in_a_thread_local",
     "a younger thread_local's ref is still there"},
    {"boost_at_thread_exit", "c064_a_long_life_of_register_and_cancel",
     "it takes memory until the thread ends"},
    {"boost_at_thread_exit", "c064_nor_when_another_thread_cancels",
     "it takes memory until the thread ends"},
    {"boost_at_thread_exit", "end/long_life", "grows"},
    {"boost_at_thread_exit", "c037_a_finalizer_of_a_finalizer",
     "it runs after those that were pending"},
    {"boost_at_thread_exit", "c039_one_that_always",
     "what was pending runs before the limit is met"},
    {"boost_at_thread_exit", "c040_a_ref_made_in_a_callback",
     "it is called after those that were pending"},
    {"cxa_thread_atexit", "c123_newest_first_in_one_order", "exit_nodes run after the finalizers"},
    {"cxa_thread_atexit", "c123_attached_inside_a_finalizer", "it runs after the finalizers"},
    {"cxa_thread_atexit", "c128_early_then_last", "early and last are one order"},
    {"cxa_thread_atexit", "c128_exit_nodes_have", "exit_nodes run after the finalizers"},
    {"cxa_thread_atexit", "c128_inside_early", "early and last are one order"},
    {"boost_at_thread_exit", "late_attach", "misordered"},
    {"boost_at_thread_exit", "order/registered_in_callback", "misordered"},
    {"boost_at_thread_exit", "c123_newest_first_in_one_order",
     "exit_nodes run after the finalizers"},
    {"boost_at_thread_exit", "c123_attached_inside_a_finalizer", "it runs after the finalizers"},
    {"boost_at_thread_exit", "c128_early_then_last", "early and last are one order"},
    {"boost_at_thread_exit", "c128_exit_nodes_have", "exit_nodes run after the finalizers"},
    {"boost_at_thread_exit", "c128_inside_early", "early and last are one order"},
    {"boost_at_thread_exit", "c128_inside_last", "it runs after those that were pending"},
    {"boost_at_thread_exit", "c128_early_runs_with",
     "early finalizers come after the thread_locals"},
    {"boost_at_thread_exit", "c128_too_late_for_early",
     "early finalizers come after the thread_locals"},
    {"cxx_thread_local", "c080_nor_at_exit_on_a_worker", "the atexit flag is not seen"},
    {"cxa_thread_atexit", "c080_nor_at_exit_on_a_worker", "the atexit flag is not seen"},
    {"cxx_thread_local", "c103_no_memory_for_a_late_key", "the process ends"},
    {"cxx_thread_local", "c104_memory_fails_at_each_call", "the process ends"},
    {"cxa_thread_atexit", "c104_memory_fails_at_each_call", "the process ends"},
    {"cxx_thread_local", "limits/late_key_without_memory", "crashes"},
    {"cxx_thread_local", "unload/registers_during_dlopen", "hangs"},
    {"cxa_thread_atexit", "unload/registers_during_dlopen", "hangs"},
    {"cxx_thread_local", "fault/first_use", "conditional"},
    {"cxx_thread_local", "fault/each_call", "crashes"},
    {"cxa_thread_atexit", "fault/first_use", "conditional"},
    {"cxa_thread_atexit", "fault/each_call", "crashes"},
    {"cxa_thread_atexit", "fault/late_without_memory", "crashes"},
};

struct named_capability {
  capability what;
  std::string_view name;
};
constexpr named_capability every_capability[] = {
    {capability::after_thread_locals, "after_thread_locals"},
    {capability::among_thread_locals, "among_thread_locals"},
    {capability::interleaved, "interleaved"},
    {capability::inside_malloc, "inside_malloc"},
};

const allowed_capability* find(const backend_info& b, capability c) {
  const auto row = std::find_if(std::begin(capabilities), std::end(capabilities),
                                [&](const auto& r) { return r.backend == b.name && r.what == c; });
  return row != std::end(capabilities) ? &*row : nullptr;
}

bool is_allowed(const backend_info& b, const deviation& d) {
  return std::any_of(
      std::begin(deviations), std::end(deviations), [&](const allowed_deviation& row) {
        return row.backend == b.name && row.where == d.where && row.outcome == d.outcome;
      });
}

// A typo in a row would allow nothing and be noticed by nobody.
bool is_a_back_end(std::string_view name) {
  bool found = std::any_of(std::begin(absent_backends), std::end(absent_backends),
                           [name](const absent_backend& a) { return a.name == name; });
  for_each_type(backends{}, [&]<class B>() { found = found || B::info.name == name; });
  return found;
}

TEST(capabilities, are_claimed_exactly_where_they_are_allowed) {
  for_each_type(backends{}, []<class B>() {
    capability known = capability::none;
    for (const named_capability& c : every_capability) {
      const allowed_capability* row = find(B::info, c.what);
      EXPECT_EQ(has(B::info.capabilities, c.what), row != nullptr)
          << B::info.name << " and " << c.name << ": "
          << (row != nullptr ? row->why : "no row allows it");
      known = known | c.what;
    }
    EXPECT_TRUE(has(known, B::info.capabilities))
        << B::info.name << " claims what has no name here";
  });
}

TEST(deviations, are_declared_exactly_where_they_are_allowed) {
  for_each_type(backends{}, []<class B>() {
    std::size_t rows = 0;
    for (const allowed_deviation& row : deviations) rows += row.backend == B::info.name ? 1 : 0;
    for (const deviation& d : B::info.deviations) {
      EXPECT_TRUE(is_allowed(B::info, d)) << B::info.name << ", " << d.where << ": " << d.outcome;
      EXPECT_FALSE(d.why.empty()) << B::info.name << ", " << d.where;
    }
    EXPECT_EQ(B::info.deviations.size(), rows) << B::info.name << ": a row that nothing needs";
  });
}

TEST(deviations, name_back_ends_that_exist) {
  for (const allowed_capability& row : capabilities) EXPECT_TRUE(is_a_back_end(row.backend));
  for (const allowed_deviation& row : deviations) EXPECT_TRUE(is_a_back_end(row.backend));
}

}  // namespace
}  // namespace threadref::conformance
