// SPDX-License-Identifier: MIT
#include "threadref/backends/pthread_key/backend.hpp"

#include "threadref/detail/exit_list_impl.hpp"

template class threadref::detail::exit_list<threadref::pthread_key,
                                            threadref::detail::hybrid_claim>;

namespace threadref::inline THREADREF_ABI {

// Before main, to get a key with a low index: see exit_key::ready().
namespace {
[[maybe_unused]] const bool pthread_key_is_early =
    pthread_key::list::install() && detail::exit_key<pthread_key::list>::ready();
}  // namespace

}  // namespace threadref::inline THREADREF_ABI
