// SPDX-License-Identifier: MIT
// Of builds with a sanitizer, which make every figure another and compile long enough.
#include "bench/paired/pairs.hpp"

namespace threadref::bench {

std::optional<std::string> register_pair(session& /*session*/) {
  return "--pair: this build has a sanitizer, and no pairs; use the preset release";
}

void register_control_pairs(session& /*session*/) {}

}  // namespace threadref::bench
