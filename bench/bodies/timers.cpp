// SPDX-License-Identifier: MIT
#include "bodies/timers.hpp"

#include "rows_of.hpp"

template struct threadref::bench::rows_of<threadref::scenarios::id::timer_cancel>;
template struct threadref::bench::rows_of<threadref::scenarios::id::later_cancel>;
