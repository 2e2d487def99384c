// SPDX-License-Identifier: MIT
#include "bodies/sweep_loaded_objects.hpp"

#include "rows_of.hpp"

template struct threadref::bench::rows_of<
    threadref::scenarios::id::sweep_loaded_objects_registration>;
template struct threadref::bench::rows_of<threadref::scenarios::id::sweep_loaded_objects_exit>;
