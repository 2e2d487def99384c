// SPDX-License-Identifier: MIT
#include "threadref/backends/canary_loses_one_in_a_million/backend.hpp"

#include "threadref/detail/exit_list_impl.hpp"

template class threadref::detail::exit_list<threadref::canary_loses_one_in_a_million,
                                            threadref::canary_loses_one_in_a_million::faulty_claim>;
