// SPDX-License-Identifier: MIT
#include "bodies/sweep_callable.hpp"

#include "rows_of.hpp"

template struct threadref::bench::rows_of<threadref::scenarios::id::sweep_callable_registration>;
template struct threadref::bench::rows_of<threadref::scenarios::id::sweep_callable_exit>;
