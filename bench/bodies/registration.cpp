// SPDX-License-Identifier: MIT
#include "bodies/registration.hpp"

#include "rows_of.hpp"

template struct threadref::bench::rows_of<threadref::scenarios::id::registration>;
template struct threadref::bench::rows_of<threadref::scenarios::id::first_registration>;
