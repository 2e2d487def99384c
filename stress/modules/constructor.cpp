// SPDX-License-Identifier: MIT
// Its constructor runs inside dlopen, under the loader's lock.
#include "stress/modules/modules.hpp"

namespace {

[[gnu::constructor]] void construct() {
  threadref_stress_constructed();
}

}  // namespace
