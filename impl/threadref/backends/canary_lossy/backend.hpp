// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>

#include "threadref/backend.hpp"
#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// Broken on purpose: drops the last finalizer of each thread, the one registered first.
struct canary_lossy {
  static constexpr backend_info info{.name = "canary_lossy",
                                     .summary = "drops the last finalizer of each thread",
                                     .capabilities = capability::after_thread_locals};
  struct faulty_claim;
  using list = detail::exit_list<canary_lossy, faulty_claim>;

  static detail::block* find() noexcept { return detail::exit_key<list>::get(); }
  static std::errc arm(detail::block& b) noexcept {
    b.close_array();  // the fault is in the chain
    return detail::exit_key<list>::arm(b);
  }
  static void forget() noexcept {}
};

struct canary_lossy::faulty_claim : detail::hybrid_claim {
  static std::uint64_t at_exit(detail::node& n) {
    if (!find()->last.empty()) return hybrid_claim::at_exit(n);
    const std::uint64_t w = hybrid_claim::at_exit(n);
    if (w == 0) return 0;
    n.fn(n.closure, detail::closure_op::destroy, nullptr);  // the fault
    n.retire();
    return 0;
  }
};

}  // namespace threadref::inline THREADREF_ABI

extern template class threadref::detail::exit_list<threadref::canary_lossy,
                                                   threadref::canary_lossy::faulty_claim>;
