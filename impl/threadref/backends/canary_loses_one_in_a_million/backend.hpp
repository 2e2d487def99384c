// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <system_error>

#include "threadref/backend.hpp"
#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// Broken on purpose, in a way that is hard to catch: drops one finalizer in a million. It counts
// them and uses no random numbers, so that it takes the same number of finalizers each time.
struct canary_loses_one_in_a_million {
  static constexpr backend_info info{.name = "canary_loses_one_in_a_million",
                                     .summary = "drops one finalizer in a million",
                                     .capabilities = capability::after_thread_locals};
  struct faulty_claim;
  using list = detail::exit_list<canary_loses_one_in_a_million, faulty_claim>;

  static detail::block* find() noexcept { return detail::exit_key<list>::get(); }
  static std::errc arm(detail::block& b) noexcept { return detail::exit_key<list>::arm(b); }
  static void forget() noexcept {}
};

struct canary_loses_one_in_a_million::faulty_claim : detail::hybrid_claim {
  static std::uint64_t at_exit(detail::node& n) {
    const std::uint64_t w = hybrid_claim::at_exit(n);
    if (w == 0) return 0;
    if ((count.fetch_add(1, std::memory_order_relaxed) + 1) % 1'000'000 != 0) return w;
    n.fn(n.closure, detail::closure_op::destroy, nullptr);  // the fault
    n.retire();
    return 0;
  }

 private:
  static inline std::atomic<std::uint64_t> count{0};
};

}  // namespace threadref::inline THREADREF_ABI

extern template class threadref::detail::exit_list<
    threadref::canary_loses_one_in_a_million,
    threadref::canary_loses_one_in_a_million::faulty_claim>;
