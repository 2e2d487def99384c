// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>

#include "threadref/backend.hpp"
#include "threadref/detail/exit_list.hpp"

namespace threadref {

// Direct: every finalizer is a boost::this_thread::at_thread_exit() of its own.
struct boost_at_thread_exit {
  static constexpr deviation deviations[] = {
      {"c064_a_long_life_of_register_and_cancel", "it takes memory until the thread ends",
       "an entry can't be taken back from the system's list, and keeps its slot"},
      {"c064_nor_when_another_thread_cancels", "it takes memory until the thread ends",
       "an entry can't be taken back from the system's list, and keeps its slot"},
      {"c037_a_finalizer_of_a_finalizer", "it runs after those that were pending",
       "Boost takes its list before it runs it, and looks at what came meanwhile after that"},
      {"c039_one_that_always", "what was pending runs before the limit is met",
       "Boost takes its list before it runs it, and looks at what came meanwhile after that"},
      {"c040_a_ref_made_in_a_callback", "it is called after those that were pending",
       "Boost takes its list before it runs it, and looks at what came meanwhile after that"},
  };
  static constexpr backend_info info{
      .name = "boost_at_thread_exit",
      .summary = "boost::this_thread::at_thread_exit() for each finalizer",
      .capabilities = capability::after_thread_locals,
      .deviations = deviations};
  using list = detail::exit_list<boost_at_thread_exit, detail::hybrid_claim>;

  static detail::block* find() noexcept { return block_; }
  static std::errc arm(detail::block& b) noexcept;
  static std::errc arm_one(detail::node& n) noexcept;
  static void forget() noexcept { block_ = nullptr; }
  static void withdraw() noexcept;

 private:
  static constinit thread_local detail::block* block_;
};

}  // namespace threadref

extern template class threadref::detail::exit_list<threadref::boost_at_thread_exit,
                                                   threadref::detail::hybrid_claim>;
