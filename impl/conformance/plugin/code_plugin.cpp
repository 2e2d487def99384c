// SPDX-License-Identifier: MIT
// A plugin with finalizers; the host has the library.
#include "conformance/plugin/kinds.hpp"

extern "C" {
extern const threadref::conformance::plugin_interface threadref_plugin;
const threadref::conformance::plugin_interface threadref_plugin{
    .use = &threadref::conformance::use,
    .use_slow = &threadref::conformance::use_slow,
    .unload = nullptr,
    .registered = &threadref::conformance::registered,
    .count = &threadref::conformance::count_value,
    .try_one = &threadref::conformance::try_one,
    .why_still_loaded = nullptr};
}
