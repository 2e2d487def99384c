// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>

#include "threadref/backend.hpp"
#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// Broken on purpose: runs the finalizers of a thread in the order of their registration.
struct canary_reversed {
  static constexpr backend_info info{.name = "canary_reversed",
                                     .summary = "runs finalizers oldest first",
                                     .capabilities = capability::after_thread_locals};
  struct faulty_claim;
  using list = detail::exit_list<canary_reversed, faulty_claim>;

  static detail::block* find() noexcept { return detail::exit_key<list>::get(); }
  static std::errc arm(detail::block& b) noexcept {
    b.close_array();  // the fault is in the chain
    return detail::exit_key<list>::arm(b);
  }
  static void forget() noexcept {}
};

struct canary_reversed::faulty_claim : detail::hybrid_claim {
  static detail::linked_node* next(detail::exit_chain& list) noexcept {
    return list.pop_oldest();  // the fault
  }
};

}  // namespace threadref::inline THREADREF_ABI

extern template class threadref::detail::exit_list<threadref::canary_reversed,
                                                   threadref::canary_reversed::faulty_claim>;
