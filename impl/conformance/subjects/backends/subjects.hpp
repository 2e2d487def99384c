// SPDX-License-Identifier: MIT
// What the suite is instantiated over. This file and its twin for the canaries have the same path
// behind different include directories, so that both programs are built from the same sources.
#pragma once

#include "threadref/backends.hpp"

namespace threadref::conformance {

using subjects = backends;

}  // namespace threadref::conformance
