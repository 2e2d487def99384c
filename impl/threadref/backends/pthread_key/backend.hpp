// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>

#include "threadref/backend.hpp"
#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// The destructor of one pthread key runs the list: after all C++ thread_locals are destroyed, and
// among the other keys in the order of their indexes.
struct pthread_key {
  static constexpr backend_info info{
      .name = "pthread_key",
      .summary = "the destructor of one pthread key",
      .capabilities = capability::after_thread_locals | capability::inside_malloc};
  using list = detail::exit_list<pthread_key, detail::hybrid_claim>;

  static detail::block* find() noexcept { return detail::exit_key<list>::get(); }
  static std::errc arm(detail::block& b) noexcept { return detail::exit_key<list>::arm(b); }
  static void forget() noexcept {}  // the key's value is null after its last round
};

}  // namespace threadref::inline THREADREF_ABI

extern template class threadref::detail::exit_list<threadref::pthread_key,
                                                   threadref::detail::hybrid_claim>;
