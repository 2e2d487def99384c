// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>

#include "threadref/backend.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// The destructor of one tss_t of C11 threads runs the list. In glibc, that is a pthread key under
// another name, as the figures should show.
struct c11_tss {
  static constexpr backend_info info{.name = "c11_tss",
                                     .summary = "the destructor of one C11 tss_t",
                                     .capabilities = capability::after_thread_locals};
  using list = detail::exit_list<c11_tss, detail::hybrid_claim>;

  static detail::block* find() noexcept;
  static std::errc arm(detail::block& b) noexcept;
  static void forget() noexcept;
  static void renew() noexcept;
  static void withdraw() noexcept;
};

}  // namespace threadref::inline THREADREF_ABI

extern template class threadref::detail::exit_list<threadref::c11_tss,
                                                   threadref::detail::hybrid_claim>;
