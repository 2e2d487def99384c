// SPDX-License-Identifier: MIT
// A plugin with finalizers; the host has the library.
#include "conformance/plugin/kinds.hpp"

extern "C" const threadref::conformance::plugin_interface threadref_plugin;

namespace threadref::conformance {
namespace {

std::size_t detach_itself(const char* backend) {
  std::size_t count = 0;
  with_backend(backend, [&count]<class B>() {
    count = detach_all<B>(&threadref_plugin);
    return true;
  });
  return count;
}

}  // namespace
}  // namespace threadref::conformance

extern "C" {
const threadref::conformance::plugin_interface threadref_plugin{
    .use = &threadref::conformance::use,
    .use_slow = &threadref::conformance::use_slow,
    .unload = nullptr,
    .registered = &threadref::conformance::registered,
    .count = &threadref::conformance::count_value,
    .detach_itself = &threadref::conformance::detach_itself,
    .try_one = &threadref::conformance::try_one,
    .why_still_loaded = nullptr};
}
