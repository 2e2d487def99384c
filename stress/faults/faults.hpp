// SPDX-License-Identifier: MIT
// What the modules export that a child is started with to have something go wrong.
#pragma once

#include <dlfcn.h>
#include <pthread.h>

#include <array>
#include <atomic>

#include "testing/check.hpp"
#include "testing/memory_hooks.hpp"

namespace threadref::stress {

// Keys of somebody else, made before anything in the process made one. They have one destructor,
// which expects one value.
struct foreign_keys {
  pthread_key_t first{};
  int taken = 0;
  std::atomic<int> calls{0};
  std::atomic<int> mistaken{0};    // calls with another value: with somebody else's data
  std::array<char, 1024> value{};  // its address is what belongs there, and nobody writes to it
  void (*at_the_end)() = nullptr;  // after the destructors of everything else in the process
};

using get_foreign_keys = foreign_keys*();
using set_memory_watch = void(testing::memory_watch*);

// By its name, since the program is linked without the module. Ends the program if it is not there.
template <class Function>
Function& from_module(const char* name) {
  auto* const found = reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
  THREADREF_CHECK(found != nullptr, "the module that an event needs was not loaded");
  return *found;
}
inline foreign_keys& keys_of_module() {
  return *from_module<get_foreign_keys>("threadref_stress_keys")();
}
inline void watch_memory_here(testing::memory_watch* watch) {
  // Found once, since to look for it may ask for memory.
  static auto& set = from_module<set_memory_watch>("threadref_stress_watch_memory");
  set(watch);
}

}  // namespace threadref::stress
