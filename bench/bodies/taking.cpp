// SPDX-License-Identifier: MIT
#include "bodies/taking.hpp"

#include "rows_of.hpp"

template struct threadref::bench::rows_of<threadref::scenarios::id::cancel_owner>;
template struct threadref::bench::rows_of<threadref::scenarios::id::detach_owner>;
template struct threadref::bench::rows_of<threadref::scenarios::id::call_owner>;
template struct threadref::bench::rows_of<threadref::scenarios::id::cancel_foreign>;
template struct threadref::bench::rows_of<threadref::scenarios::id::detach_foreign>;
template struct threadref::bench::rows_of<threadref::scenarios::id::call_foreign>;
