// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>
#include <string>

#include "testing/build_info.hpp"

namespace threadref::testing {

bool prints_version(std::string_view program, int argc, char** argv) {
  const auto asks = [](std::string_view argument) { return argument == "--version"; };
  if (std::none_of(argv + 1, argv + argc, asks)) return false;
  const build_info& build = this_build();
  const std::string line = std::string(program) + " " + std::string(build.version) + ", commit " +
                           std::string(build.commit) + ", " + std::string(build.build_type) + ", " +
                           std::string(build.compiler);
  std::puts(line.c_str());
  return true;
}

}  // namespace threadref::testing
