// SPDX-License-Identifier: MIT
#include "threadref/backends/registry_bulk/backend.hpp"

#include "threadref/detail/exit_guard.hpp"
#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/exit_list_impl.hpp"

template class threadref::detail::exit_list<threadref::registry_bulk,
                                            threadref::detail::bulk_claim>;

namespace threadref::inline THREADREF_ABI {

constinit thread_local detail::block* registry_bulk::block_ = nullptr;

namespace {
// Before main, to get a key with a low index: see exit_key::ready().
[[maybe_unused]] const bool registry_bulk_is_early =
    registry_bulk::list::install() && detail::exit_key<registry_bulk::list>::ready();
}  // namespace

std::errc registry_bulk::arm(detail::block& b) noexcept {
  const std::errc error = detail::arm_key_or_guard<list>(b);
  if (error == std::errc{}) block_ = &b;
  return error;
}

}  // namespace threadref::inline THREADREF_ABI
