// SPDX-License-Identifier: MIT
// What the modules export that make something go wrong in a child started with them.
#pragma once

#include <dlfcn.h>
#include <pthread.h>

#include <array>
#include <atomic>

#include "testing/check.hpp"
#include "testing/memory_hooks.hpp"

namespace threadref::stress {

// Keys of another library, created before any other key in the process. They share one destructor,
// which expects one value.
struct foreign_keys {
  pthread_key_t first{};
  int created = 0;
  std::atomic<int> calls{0};
  std::atomic<int> mistaken{0};    // calls with another value: another library's data
  std::array<char, 1024> value{};  // its address is the expected value; nobody writes to it
  void (*at_the_end)() = nullptr;  // runs after all other destructors of the process
};

using get_foreign_keys = foreign_keys*();
using set_memory_watch = void(testing::memory_watch*);

// Looked up by name, since the program does not link the module. Ends the program if it is missing.
template <class Function>
Function& from_module(const char* name) {
  auto* const found = reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
  THREADREF_CHECK(found != nullptr, "a module that an event needs is not loaded");
  return *found;
}
inline foreign_keys& keys_of_module() {
  return *from_module<get_foreign_keys>("threadref_stress_keys")();
}
inline void watch_memory_here(testing::memory_watch* watch) {
  // Looked up once, because dlsym() may allocate.
  static auto& set = from_module<set_memory_watch>("threadref_stress_watch_memory");
  set(watch);
}

}  // namespace threadref::stress
