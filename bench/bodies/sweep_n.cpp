// SPDX-License-Identifier: MIT
#include "bodies/sweep_n.hpp"

#include "rows_of.hpp"

template struct threadref::bench::rows_of<threadref::scenarios::id::sweep_n_registration>;
template struct threadref::bench::rows_of<threadref::scenarios::id::sweep_n_exit>;
