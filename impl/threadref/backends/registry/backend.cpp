// SPDX-License-Identifier: MIT
#include "threadref/backends/registry/backend.hpp"

#include "threadref/detail/exit_guard.hpp"
#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/exit_list_impl.hpp"

template class threadref::detail::exit_list<threadref::registry, threadref::detail::hybrid_claim>;

namespace threadref::inline THREADREF_ABI {

constinit thread_local detail::block* registry::block_ = nullptr;

namespace {
// Before main, to get a key with a low index: see exit_key::ready().
[[maybe_unused]] const bool registry_is_early =
    registry::list::install() && detail::exit_key<registry::list>::ready();
}  // namespace

std::errc registry::arm(detail::block& b) noexcept {
  const std::errc error = detail::arm_key_or_guard<list>(b);
  if (error == std::errc{}) block_ = &b;
  return error;
}

}  // namespace threadref::inline THREADREF_ABI
