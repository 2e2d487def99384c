// SPDX-License-Identifier: MIT
#include "bodies/ref_check.hpp"

#include "rows_of.hpp"

template struct threadref::bench::rows_of<threadref::scenarios::id::ref_check>;
