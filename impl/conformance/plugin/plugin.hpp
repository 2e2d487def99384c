// SPDX-License-Identifier: MIT
// What the hosts and the plugins of checks 92 to 94 have in common.
#pragma once

#include <atomic>
#include <cstddef>

namespace threadref::conformance {

// Lives in the host, where it outlasts every plugin.
struct plugin_tally {
  std::atomic<int> ran{0};
  std::atomic<int> destroyed{0};  // closures with a destructor
  std::atomic<int> running{0};
  std::atomic<int> finished{0};
  int wait_for = 0;  // see plugin_face::use_slow
};

// How many registrations plugin_face::use() makes, and how many of those have a destructor.
inline constexpr int kinds = 5;
inline constexpr int kinds_with_destructor = 3;

// What a plugin offers.
struct plugin_face {
  // Registers one of each kind on the calling thread. False: no such back end, or an error.
  bool (*use)(const char* backend, plugin_tally& tally);
  // Registers a function that runs until `wait_for` closures were destroyed, and calls it at once,
  // or leaves that to the exit of the thread.
  bool (*use_slow)(const char* backend, plugin_tally& tally, bool call);
  // Of a plugin with a copy of the library: withdraws the copy; gives what was pending.
  std::size_t (*unload)();
};
// The symbol by which a host finds it.
inline constexpr const char* plugin_symbol = "threadref_plugin";

}  // namespace threadref::conformance
