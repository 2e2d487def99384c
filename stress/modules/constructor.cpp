// SPDX-License-Identifier: MIT
// Its constructor runs inside dlopen, and its destructor inside dlclose: under the loader's lock.
#include "stress/modules/modules.hpp"

namespace {

[[gnu::constructor]] void construct() {
  threadref_stress_constructed();
}

[[gnu::destructor]] void destroy() {
  threadref_stress_destroyed();
}

}  // namespace
