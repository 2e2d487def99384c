// SPDX-License-Identifier: MIT
#include "threadref/backends/cxa_thread_atexit/backend.hpp"

#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/exit_list_impl.hpp"
#include "threadref/detail/process.hpp"

template class threadref::detail::exit_list<threadref::cxa_thread_atexit,
                                            threadref::detail::hybrid_claim>;

namespace threadref::inline THREADREF_ABI {

constinit thread_local detail::block* cxa_thread_atexit::block_ = nullptr;

namespace {
using cxa_key = detail::exit_key<cxa_thread_atexit::list>;
[[maybe_unused]] const bool cxa_thread_atexit_is_early =
    cxa_thread_atexit::list::install() && cxa_key::ready();

void turn_of(void* n) {
  cxa_thread_atexit::list::exit_one(*static_cast<detail::node*>(n));
}
}  // namespace

// The key runs what has no entry with the system (exit_nodes, destructors) and what came too late
// for one, and reports the thread's end.
std::errc cxa_thread_atexit::arm(detail::block& b) noexcept {
  const std::errc error = cxa_key::arm(b);
  if (error == std::errc{}) block_ = &b;
  return error;
}

std::errc cxa_thread_atexit::arm_one(detail::node& n) noexcept {
  return detail::add_thread_local_destructor(&turn_of, &n);
}

}  // namespace threadref::inline THREADREF_ABI
