// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>
#include <utility>

#include "threadref/backend.hpp"
#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// Broken on purpose: runs the last finalizer of each thread, the one registered first, on another
// thread, after the join has returned.
//
// It does so before the joining thread goes on, because finalizers often refer to that thread's
// data, and a fault that corrupts memory would not show which check noticed it. Hence the
// pthread_join in backend.cpp. A detached thread, which is never joined, waits in its exit until
// the other thread is done.
struct canary_wrong_thread {
  static constexpr backend_info info{
      .name = "canary_wrong_thread",
      .summary = "runs the last finalizer of each thread on another one, after the join",
      .capabilities = capability::after_thread_locals};
  struct faulty_claim;
  using list = detail::exit_list<canary_wrong_thread, faulty_claim>;

  static detail::block* find() noexcept { return detail::exit_key<list>::get(); }
  static std::errc arm(detail::block& b) noexcept {
    b.close_array();  // the fault is in the chain
    return detail::exit_key<list>::arm(b);
  }
  static void forget() noexcept {}

  // Also for canary_wrong_thread_at_times, since a program has one pthread_join. `mine` is the
  // block of the calling thread.
  static bool may_run_elsewhere(const detail::block* mine, const detail::node& n) noexcept;
  static void run_elsewhere(detail::detached_closure taken);
};

struct canary_wrong_thread::faulty_claim : detail::hybrid_claim {
  static bool run_at_exit(detail::node& n) {
    if (!may_run_elsewhere(find(), n)) return hybrid_claim::run_at_exit(n);
    detail::detached_closure taken;
    taken.take_from(n.fn, n.closure);
    run_elsewhere(std::move(taken));  // the fault
    return true;
  }
};

}  // namespace threadref::inline THREADREF_ABI

extern template class threadref::detail::exit_list<threadref::canary_wrong_thread,
                                                   threadref::canary_wrong_thread::faulty_claim>;
