// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <system_error>
#include <utility>

#include "threadref/backend.hpp"
#include "threadref/backends/canary_wrong_thread/backend.hpp"
#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// Broken on purpose, in a way that is hard to catch: as canary_wrong_thread, but for one thread in
// 100 000.
struct canary_wrong_thread_at_times {
  static constexpr backend_info info{
      .name = "canary_wrong_thread_at_times",
      .summary = "runs the last finalizer of one thread in 100 000 on another one, after the join",
      .capabilities = capability::after_thread_locals};
  struct faulty_claim;
  using list = detail::exit_list<canary_wrong_thread_at_times, faulty_claim>;

  static detail::block* find() noexcept { return detail::exit_key<list>::get(); }
  static std::errc arm(detail::block& b) noexcept {
    b.close_array();  // the fault is in the chain
    return detail::exit_key<list>::arm(b);
  }
  static void forget() noexcept {}
};

struct canary_wrong_thread_at_times::faulty_claim : detail::hybrid_claim {
  static bool run_at_exit(detail::node& n) {
    if (!canary_wrong_thread::may_run_elsewhere(find(), n) ||
        (count.fetch_add(1, std::memory_order_relaxed) + 1) % 100'000 != 0)
      return hybrid_claim::run_at_exit(n);
    detail::detached_closure taken;
    taken.take_from(n.fn, n.closure);
    canary_wrong_thread::run_elsewhere(std::move(taken));  // the fault
    return true;
  }

 private:
  static inline std::atomic<std::uint64_t> count{0};
};

}  // namespace threadref::inline THREADREF_ABI

extern template class threadref::detail::exit_list<
    threadref::canary_wrong_thread_at_times, threadref::canary_wrong_thread_at_times::faulty_claim>;
