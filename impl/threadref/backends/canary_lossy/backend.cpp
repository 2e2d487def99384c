// SPDX-License-Identifier: MIT
#include "threadref/backends/canary_lossy/backend.hpp"

#include "threadref/detail/exit_list_impl.hpp"

template class threadref::detail::exit_list<threadref::canary_lossy,
                                            threadref::canary_lossy::faulty_claim>;
