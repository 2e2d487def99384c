// SPDX-License-Identifier: MIT
// A plugin with a static copy of the library in it.
#include "conformance/harness/mechanism.hpp"
#include "conformance/plugin/kinds.hpp"

namespace threadref::conformance {
namespace {

std::size_t unload_all() {
  std::size_t count = 0;
  for_each_type(backends{}, [&count]<class B>() { count += unload<B>(); });
  return count;
}

const char* reason_to_stay(const char* backend) {
  const char* reason = nullptr;
  with_backend(backend, [&reason]<class B>() {
    reason = why_still_loaded(B::info);
    return true;
  });
  return reason;
}

}  // namespace
}  // namespace threadref::conformance

extern "C" {
extern const threadref::conformance::plugin_interface threadref_plugin;
const threadref::conformance::plugin_interface threadref_plugin{
    .use = &threadref::conformance::use,
    .use_slow = &threadref::conformance::use_slow,
    .unload = &threadref::conformance::unload_all,
    .registered = &threadref::conformance::registered,
    .count = &threadref::conformance::count_value,
    .detach_itself = nullptr,
    .try_one = &threadref::conformance::try_one,
    .why_still_loaded = &threadref::conformance::reason_to_stay};
}
