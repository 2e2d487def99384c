// SPDX-License-Identifier: MIT
#include "threadref/backends/canary_twice/backend.hpp"

#include "threadref/detail/exit_list_impl.hpp"

template class threadref::detail::exit_list<threadref::canary_twice,
                                            threadref::canary_twice::faulty_claim>;
