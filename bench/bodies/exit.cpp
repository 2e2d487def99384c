// SPDX-License-Identifier: MIT
#include "bodies/exit.hpp"

#include "rows_of.hpp"

template struct threadref::bench::rows_of<threadref::scenarios::id::exit_solo>;
template struct threadref::bench::rows_of<threadref::scenarios::id::exit_under_churn>;
