// SPDX-License-Identifier: MIT
#include "bodies/sweep_live_threads.hpp"

#include "rows_of.hpp"

template struct threadref::bench::rows_of<
    threadref::scenarios::id::sweep_live_threads_registration>;
template struct threadref::bench::rows_of<threadref::scenarios::id::sweep_live_threads_exit>;
