// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <system_error>

#include "threadref/backend.hpp"
#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// Broken on purpose, in a way that is hard to catch: one thread in 10 000 waits in its exit for a
// lock that it holds itself.
struct canary_deadlocks_at_times {
  static constexpr backend_info info{
      .name = "canary_deadlocks_at_times",
      .summary = "one thread in 10 000 locks a mutex twice in its exit",
      .capabilities = capability::after_thread_locals};
  struct faulty_claim;
  using list = detail::exit_list<canary_deadlocks_at_times, faulty_claim>;

  static detail::block* find() noexcept { return detail::exit_key<list>::get(); }
  static std::errc arm(detail::block& b) noexcept { return detail::exit_key<list>::arm(b); }
  static void forget() noexcept {}
};

struct canary_deadlocks_at_times::faulty_claim : detail::hybrid_claim {
  static void begin(detail::block& b) noexcept {
    std::unique_lock lock(b.m, std::defer_lock);
    const bool first = !b.draining_here;
    if (first && (count.fetch_add(1, std::memory_order_relaxed) + 1) % 10'000 == 0) lock.lock();
    b.begin_drain();  // the fault: it takes the lock too
  }

 private:
  static inline std::atomic<std::uint64_t> count{0};
};

}  // namespace threadref::inline THREADREF_ABI

extern template class threadref::detail::exit_list<
    threadref::canary_deadlocks_at_times, threadref::canary_deadlocks_at_times::faulty_claim>;
