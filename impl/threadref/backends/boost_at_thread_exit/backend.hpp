// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>

#include "threadref/backend.hpp"
#include "threadref/detail/exit_list.hpp"

namespace threadref {

// Direct: every finalizer is a boost::this_thread::at_thread_exit() of its own.
struct boost_at_thread_exit {
  static constexpr backend_info info{
      .name = "boost_at_thread_exit",
      .summary = "boost::this_thread::at_thread_exit() for each finalizer",
      .capabilities = capability::after_thread_locals};
  using list = detail::exit_list<boost_at_thread_exit, detail::hybrid_claim>;

  static detail::block* find() noexcept { return block_; }
  static std::errc arm(detail::block& b) noexcept;
  static std::errc arm_one(detail::node& n) noexcept;
  static void forget() noexcept { block_ = nullptr; }

 private:
  static constinit thread_local detail::block* block_;
};

}  // namespace threadref

extern template class threadref::detail::exit_list<threadref::boost_at_thread_exit,
                                                   threadref::detail::hybrid_claim>;
