// SPDX-License-Identifier: MIT
#include "threadref/backends/canary_late_death/backend.hpp"

#include "threadref/detail/exit_list_impl.hpp"

template class threadref::detail::exit_list<threadref::canary_late_death,
                                            threadref::canary_late_death::faulty_claim>;
