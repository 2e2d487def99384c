// SPDX-License-Identifier: MIT
// A plugin with finalizers in it; the library is its host's.
#include "conformance/plugin/kinds.hpp"

extern "C" {
extern const threadref::conformance::plugin_face threadref_plugin;
const threadref::conformance::plugin_face threadref_plugin{
    .use = &threadref::conformance::use,
    .use_slow = &threadref::conformance::use_slow,
    .unload = nullptr};
}
