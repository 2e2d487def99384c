// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>

#include "threadref/backend.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// As registry, but every claim before the drain takes the lock. The simple protocol, with which the
// other one is compared in results and in cost.
struct registry_bulk {
  static constexpr backend_info info{
      .name = "registry_bulk",
      .summary = "registry with claims under a lock, the oracle beside it",
      .capabilities = capability::after_thread_locals | capability::inside_malloc,
      .needs_key = false};
  using list = detail::exit_list<registry_bulk, detail::bulk_claim>;

  THREADREF_READS_TLS static detail::block* find() noexcept { return block_; }
  static std::errc arm(detail::block& b) noexcept;
  static void forget() noexcept { block_ = nullptr; }

 private:
  THREADREF_TLS static constinit thread_local detail::block* block_;
};

}  // namespace threadref::inline THREADREF_ABI

extern template class threadref::detail::exit_list<threadref::registry_bulk,
                                                   threadref::detail::bulk_claim>;
