// SPDX-License-Identifier: MIT
#include "bodies/sweep_access.hpp"

#include "rows_of.hpp"

namespace threadref::bench {

template struct rows_of<id::sweep_access_inline_ensure>;
template struct rows_of<id::sweep_access_inline_registration>;
template struct rows_of<id::sweep_access_shared_ensure>;
template struct rows_of<id::sweep_access_shared_registration>;
template struct rows_of<id::sweep_access_dlopened_ensure>;
template struct rows_of<id::sweep_access_dlopened_registration>;

}  // namespace threadref::bench
