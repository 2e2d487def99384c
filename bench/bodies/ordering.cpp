// SPDX-License-Identifier: MIT
#include "bodies/ordering.hpp"

#include "rows_of.hpp"

template struct threadref::bench::rows_of<threadref::scenarios::id::ordering>;
