// SPDX-License-Identifier: MIT
#include "bodies/alive.hpp"

#include "rows_of.hpp"

template struct threadref::bench::rows_of<threadref::scenarios::id::ref_enumerate>;
template struct threadref::bench::rows_of<threadref::scenarios::id::churn_rate>;
