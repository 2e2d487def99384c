// SPDX-License-Identifier: MIT
// What the hosts and the plugins of checks 92 to 94 share.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <system_error>

namespace threadref::conformance {

// Belongs to the host, and so outlives every plugin.
struct plugin_tally {
  std::atomic<int> ran{0};
  std::atomic<int> destroyed{0};  // closures with a destructor
  std::atomic<int> running{0};
  std::atomic<int> finished{0};
  int wait_for = 0;  // see plugin_interface::use_slow
};

// How many registrations plugin_interface::use() makes, and how many of them have a destructor.
inline constexpr int kinds = 5;
inline constexpr int kinds_with_destructor = 3;

// What a plugin exports.
struct plugin_interface {
  // Registers one of each kind on the calling thread. False: there is no such back end, or an
  // error.
  bool (*use)(const char* backend, plugin_tally& tally);
  // Registers a function that runs until `wait_for` closures are destroyed. `call`: calls it at
  // once; else the exit of the thread does.
  bool (*use_slow)(const char* backend, plugin_tally& tally, bool call);
  // Of a plugin with a copy of the library: unloads the copy; returns how many were pending.
  std::size_t (*unload)();
  // How many registrations there have been on the back end.
  std::uint64_t (*registered)(const char* backend);
  // Counts a run in the plugin_tally at `tally`. For an exit_node.
  void (*count)(void* tally);
  // Of a plugin without a copy: calls detach_all() for itself.
  std::size_t (*detach_itself)(const char* backend);
  // Registers one. Returns the error.
  std::errc (*try_one)(const char* backend, plugin_tally& tally);
  // Of the same: why it stays loaded while a thread that used the back end runs; null: it does not.
  const char* (*why_still_loaded)(const char* backend);
};
// The symbol by which a host finds it.
inline constexpr const char* plugin_symbol = "threadref_plugin";

}  // namespace threadref::conformance
