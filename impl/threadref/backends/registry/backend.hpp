// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>

#include "threadref/backend.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// The default back end: a thread_local pointer to the block, and one pthread key that is armed once
// in a thread's life; a thread_local guard instead of the key where no key is left.
struct registry {
  static constexpr backend_info info{
      .name = "registry",
      .summary = "a thread_local pointer, and one pthread key armed once a thread",
      .capabilities = capability::after_thread_locals | capability::inside_malloc,
      .needs_key = false};
  using list = detail::exit_list<registry, detail::hybrid_claim>;

  THREADREF_READS_TLS static detail::block* find() noexcept { return block_; }
  static std::errc arm(detail::block& b) noexcept;
  static void forget() noexcept { block_ = nullptr; }

 private:
  THREADREF_TLS static constinit thread_local detail::block* block_;
};

}  // namespace threadref::inline THREADREF_ABI

extern template class threadref::detail::exit_list<threadref::registry,
                                                   threadref::detail::hybrid_claim>;
