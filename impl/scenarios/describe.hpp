// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scenarios/matrix.hpp"

namespace threadref::scenarios {

// How this binary was built: version, commit ("unknown" outside a checkout), build type, compiler
// and its flags.
struct build_info {
  std::string_view version;
  std::string_view commit;
  std::string_view build_type;
  std::string_view compiler;
  std::string_view flags;
};
const build_info& this_build() noexcept;

// Both tables and all their cells as one JSON document, indented; for --describe.
std::string describe();

// Every back end of this build, every canary and every rare one, in the order of the table.
std::vector<const backend_info*> all_backends();
std::vector<const backend_info*> all_canaries();
std::vector<const backend_info*> all_rare_canaries();

}  // namespace threadref::scenarios
