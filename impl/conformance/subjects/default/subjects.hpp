// SPDX-License-Identifier: MIT
// What the suite is instantiated over where only its text matters: one back end.
#pragma once

#include "threadref/backends.hpp"

namespace threadref::conformance {

using subjects = type_list<default_backend>;

}  // namespace threadref::conformance
