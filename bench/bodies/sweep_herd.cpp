// SPDX-License-Identifier: MIT
#include "bodies/sweep_herd.hpp"

#include "rows_of.hpp"

template struct threadref::bench::rows_of<threadref::scenarios::id::sweep_herd>;
