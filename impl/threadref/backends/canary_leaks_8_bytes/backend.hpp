// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>

#include "threadref/backend.hpp"
#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// Broken on purpose, in a way that is hard to catch: keeps 8 bytes for each thread that ended. They
// are cut from larger pieces, since malloc's smallest block has 32, and stay reachable, so that no
// leak checker reports them.
struct canary_leaks_8_bytes {
  static constexpr backend_info info{.name = "canary_leaks_8_bytes",
                                     .summary = "keeps 8 bytes for each thread that ended",
                                     .capabilities = capability::after_thread_locals};
  using list = detail::exit_list<canary_leaks_8_bytes, detail::hybrid_claim>;

  static detail::block* find() noexcept { return detail::exit_key<list>::get(); }
  static std::errc arm(detail::block& b) noexcept { return detail::exit_key<list>::arm(b); }
  static void forget() noexcept;  // the fault
};

}  // namespace threadref::inline THREADREF_ABI

extern template class threadref::detail::exit_list<threadref::canary_leaks_8_bytes,
                                                   threadref::detail::hybrid_claim>;
