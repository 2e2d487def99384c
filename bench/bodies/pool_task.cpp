// SPDX-License-Identifier: MIT
#include "bodies/pool_task.hpp"

#include "rows_of.hpp"

template struct threadref::bench::rows_of<threadref::scenarios::id::pool_task>;
