// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace threadref::testing {

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

}  // namespace threadref::testing
