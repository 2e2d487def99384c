// SPDX-License-Identifier: MIT
#include "bodies/ensure.hpp"

#include "rows_of.hpp"

template struct threadref::bench::rows_of<threadref::scenarios::id::ensure>;
