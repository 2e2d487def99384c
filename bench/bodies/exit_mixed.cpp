// SPDX-License-Identifier: MIT
#include "bodies/exit_mixed.hpp"

#include "rows_of.hpp"

template struct threadref::bench::rows_of<threadref::scenarios::id::exit_mixed>;
