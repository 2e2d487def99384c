// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>

#include "threadref/backend.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// The cleanup of one boost::thread_specific_ptr runs the list: on a boost::thread, before the C++
// thread_locals are destroyed; on any other thread, among the pthread keys.
struct boost_tss {
  static constexpr backend_info info{.name = "boost_tss",
                                     .summary = "the cleanup of one boost::thread_specific_ptr",
                                     .capabilities = capability::after_thread_locals,
                                     .foreign_record = true};
  using list = detail::exit_list<boost_tss, detail::hybrid_claim>;

  static detail::block* find() noexcept;
  static std::errc arm(detail::block& b) noexcept;
  static void forget() noexcept {}  // Boost has erased the value after its cleanup
  static void renew() noexcept;
  static void withdraw() noexcept;
};

}  // namespace threadref::inline THREADREF_ABI

extern template class threadref::detail::exit_list<threadref::boost_tss,
                                                   threadref::detail::hybrid_claim>;
