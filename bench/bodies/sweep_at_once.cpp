// SPDX-License-Identifier: MIT
#include "bodies/sweep_at_once.hpp"

#include "rows_of.hpp"

template struct threadref::bench::rows_of<threadref::scenarios::id::sweep_at_once_registration>;
template struct threadref::bench::rows_of<threadref::scenarios::id::sweep_at_once_exit>;
