// SPDX-License-Identifier: MIT
#include "threadref/backends/cxx_thread_local/backend.hpp"

#include "threadref/detail/exit_guard.hpp"
#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/exit_list_impl.hpp"

template class threadref::detail::exit_list<threadref::cxx_thread_local,
                                            threadref::detail::hybrid_claim>;

namespace threadref::inline THREADREF_ABI {

constinit thread_local detail::block* cxx_thread_local::block_ = nullptr;

namespace {
// Before main, so that the exit stage has its place, as on every back end.
[[maybe_unused]] const bool cxx_thread_local_is_early = cxx_thread_local::list::install();
}  // namespace

std::errc cxx_thread_local::arm(detail::block& b) noexcept {
  detail::exit_guard<list>::arm(b);
  // A guard that is constructed in a key destructor is never destroyed (glibc). So the key is armed
  // too, for 3 ns, and nothing is lost. If no key is left, the guard alone must do.
  static_cast<void>(detail::exit_key<list>::arm(b));
  block_ = &b;
  return {};
}

}  // namespace threadref::inline THREADREF_ABI
