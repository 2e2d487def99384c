// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>

#include "threadref/backend.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// A direct back end: each finalizer is its own boost::this_thread::at_thread_exit() entry.
struct boost_at_thread_exit {
  static constexpr deviation deviations[] = {
      {"c064_a_long_life_of_register_and_cancel", "it takes memory until the thread ends",
       "an entry can't be taken back from the system's list, and keeps its slot"},
      {"c064_nor_when_another_thread_cancels", "it takes memory until the thread ends",
       "an entry can't be taken back from the system's list, and keeps its slot"},
      {"end/long_life", "grows",
       "an entry can't be taken back from the system's list, and keeps its slot"},
      {"c037_a_finalizer_of_a_finalizer", "it runs after those that were pending",
       "Boost takes its list before it runs it, and looks at what came meanwhile after that"},
      {"c039_one_that_always", "what was pending runs before the limit is met",
       "Boost takes its list before it runs it, and looks at what came meanwhile after that"},
      {"c040_a_ref_made_in_a_callback", "it is called after those that were pending",
       "Boost takes its list before it runs it, and looks at what came meanwhile after that"},
      {"late_attach", "misordered",
       "Boost takes its list before it runs it, and looks at what came meanwhile after that"},
      {"order/registered_in_callback", "misordered",
       "Boost takes its list before it runs it, and looks at what came meanwhile after that"},
      {"c123_newest_first_in_one_order", "exit_nodes run after the finalizers",
       "they have no entry with the system, since their storage may go before it comes"},
      {"c123_attached_inside_a_finalizer", "it runs after the finalizers",
       "they have no entry with the system, since their storage may go before it comes"},
      {"c128_exit_nodes_have", "exit_nodes run after the finalizers",
       "they have no entry with the system, since their storage may go before it comes"},
      {"c128_inside_last", "it runs after those that were pending",
       "Boost takes its list before it runs it, and looks at what came meanwhile after that"},
  };
  static constexpr backend_info info{
      .name = "boost_at_thread_exit",
      .summary = "boost::this_thread::at_thread_exit() for each finalizer",
      .capabilities = capability::after_thread_locals,
      .deviations = deviations,
      .foreign_record = true};
  using list = detail::exit_list<boost_at_thread_exit, detail::hybrid_claim>;

  THREADREF_READS_TLS static detail::block* find() noexcept { return block_; }
  static std::errc arm(detail::block& b) noexcept;
  static std::errc arm_one(detail::node& n) noexcept;
  static void forget() noexcept { block_ = nullptr; }
  static void withdraw() noexcept;

 private:
  THREADREF_TLS static constinit thread_local detail::block* block_;
};

}  // namespace threadref::inline THREADREF_ABI

extern template class threadref::detail::exit_list<threadref::boost_at_thread_exit,
                                                   threadref::detail::hybrid_claim>;
