// SPDX-License-Identifier: MIT
#include "bodies/refs.hpp"

#include "rows_of.hpp"

template struct threadref::bench::rows_of<threadref::scenarios::id::ref_check>;
template struct threadref::bench::rows_of<threadref::scenarios::id::ref_lock>;
