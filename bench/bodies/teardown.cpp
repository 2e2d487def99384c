// SPDX-License-Identifier: MIT
#include "bodies/teardown.hpp"

#include "rows_of.hpp"

template struct threadref::bench::rows_of<threadref::scenarios::id::teardown_serial>;
template struct threadref::bench::rows_of<threadref::scenarios::id::teardown_broadcast>;
template struct threadref::bench::rows_of<threadref::scenarios::id::teardown_serial_waiting>;
template struct threadref::bench::rows_of<threadref::scenarios::id::teardown_broadcast_waiting>;
