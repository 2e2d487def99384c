// SPDX-License-Identifier: MIT
// For builds with a sanitizer: their figures mean nothing, and pairs take long to compile.
#include "bench/paired/pairs.hpp"

namespace threadref::bench {

std::optional<std::string> register_pair(session& /*session*/) {
  return "--pair: a build with a sanitizer has no pairs; use the preset release";
}

void register_control_pairs(session& /*session*/) {}

}  // namespace threadref::bench
