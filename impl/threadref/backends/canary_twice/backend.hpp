// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>

#include "threadref/backend.hpp"
#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// Broken on purpose: runs the last finalizer of each thread, the one registered first, twice.
struct canary_twice {
  static constexpr backend_info info{.name = "canary_twice",
                                     .summary = "runs the last finalizer of each thread twice",
                                     .capabilities = capability::after_thread_locals};
  struct faulty_claim;
  using list = detail::exit_list<canary_twice, faulty_claim>;

  static detail::block* find() noexcept { return detail::exit_key<list>::get(); }
  static std::errc arm(detail::block& b) noexcept {
    b.close_array();  // the fault is in the chain
    return detail::exit_key<list>::arm(b);
  }
  static void forget() noexcept {}
};

struct canary_twice::faulty_claim : detail::hybrid_claim {
  static bool run_at_exit(detail::node& n) {
    if (find()->last.empty() && n.has(detail::node::is_plain)) {
      detail::detached_closure copy;
      copy.copy_from(n.fn, n.closure);
      copy.run(nullptr);  // the fault
    }
    return hybrid_claim::run_at_exit(n);
  }
};

}  // namespace threadref::inline THREADREF_ABI

extern template class threadref::detail::exit_list<threadref::canary_twice,
                                                   threadref::canary_twice::faulty_claim>;
