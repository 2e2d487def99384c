// SPDX-License-Identifier: MIT
#include "bodies/detach.hpp"

#include "rows_of.hpp"

template struct threadref::bench::rows_of<threadref::scenarios::id::detach_owner>;
template struct threadref::bench::rows_of<threadref::scenarios::id::detach_foreign>;
