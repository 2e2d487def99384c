// SPDX-License-Identifier: MIT
#include "threadref/backends/canary_reversed/backend.hpp"

#include "threadref/detail/exit_list_impl.hpp"

template class threadref::detail::exit_list<threadref::canary_reversed,
                                            threadref::canary_reversed::faulty_claim>;
