// SPDX-License-Identifier: MIT
// A plugin with a static copy of the library in it.
#include "conformance/plugin/kinds.hpp"

namespace threadref::conformance {
namespace {

std::size_t unload_all() {
  std::size_t count = 0;
  for_each_type(backends{}, [&count]<class B>() { count += unload<B>(); });
  return count;
}

}  // namespace
}  // namespace threadref::conformance

extern "C" {
extern const threadref::conformance::plugin_face threadref_plugin;
const threadref::conformance::plugin_face threadref_plugin{
    .use = &threadref::conformance::use,
    .use_slow = &threadref::conformance::use_slow,
    .unload = &threadref::conformance::unload_all};
}
