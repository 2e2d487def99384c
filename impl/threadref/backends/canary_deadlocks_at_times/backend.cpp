// SPDX-License-Identifier: MIT
#include "threadref/backends/canary_deadlocks_at_times/backend.hpp"

#include "threadref/detail/exit_list_impl.hpp"

template class threadref::detail::exit_list<threadref::canary_deadlocks_at_times,
                                            threadref::canary_deadlocks_at_times::faulty_claim>;
