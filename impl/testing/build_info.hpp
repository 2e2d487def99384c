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

// If one of the arguments is --version: prints the program's name with the version and how it was
// built, in one line. True: it did, and the program is done.
bool prints_version(std::string_view program, int argc, char** argv);

}  // namespace threadref::testing
