// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>

#include "threadref/backend.hpp"
#include "threadref/detail/exit_list.hpp"

namespace threadref {

// Direct: every finalizer is an entry of its own in the C library's list of thread_local
// destructors, as a C++ thread_local object is.
struct cxa_thread_atexit {
  static constexpr backend_info info{.name = "cxa_thread_atexit",
                                     .summary = "__cxa_thread_atexit for each finalizer",
                                     .capabilities = capability::among_thread_locals};
  using list = detail::exit_list<cxa_thread_atexit, detail::hybrid_claim>;

  static detail::block* find() noexcept { return block_; }
  static std::errc arm(detail::block& b) noexcept;
  static std::errc arm_one(detail::node& n) noexcept;
  static void forget() noexcept { block_ = nullptr; }

 private:
  static constinit thread_local detail::block* block_;
};

}  // namespace threadref

extern template class threadref::detail::exit_list<threadref::cxa_thread_atexit,
                                                   threadref::detail::hybrid_claim>;
