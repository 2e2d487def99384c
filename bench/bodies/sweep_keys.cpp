// SPDX-License-Identifier: MIT
#include "bodies/sweep_keys.hpp"

#include "rows_of.hpp"

template struct threadref::bench::rows_of<threadref::scenarios::id::sweep_keys_registration>;
template struct threadref::bench::rows_of<threadref::scenarios::id::sweep_keys_exit>;
