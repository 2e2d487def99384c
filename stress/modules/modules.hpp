// SPDX-License-Identifier: MIT
// What the modules beside the program export. No module exports all of it.
#pragma once

#include "stress/matrix/model/mechanism.hpp"

namespace threadref::stress {

// A pool of threads that belongs to another library.
struct pool_interface {
  void* (*start)(int workers);
  // Runs task(with) on that many workers, once on each if possible. May return earlier.
  void (*enqueue)(void* pool, int workers, void (*task)(void*), void* with);
  // Shuts the workers down. False: that failed.
  bool (*end)(void* pool);
};

}  // namespace threadref::stress

extern "C" {
// stress_backends: the back end or canary of that name, from the module's own copy of the library.
const threadref::stress::mechanism* threadref_stress_mechanism_of(const char* name);
// stress_code, and every module with a mechanism: a callback whose code lies in the module, which
// calls the callback at `c`; and data.
void threadref_stress_forward(void* c);
threadref::stress::callback* threadref_stress_data();
// stress_malloc: calls `hook` first in each malloc(), calloc() and the like.
void threadref_stress_hook_allocation(void (*hook)() noexcept);
// stress_asio, stress_openmp.
const threadref::stress::pool_interface* threadref_stress_pool();
// Exported by the program: stress_constructor calls them in its constructor, and so inside dlopen,
// and in its destructor, and so inside dlclose.
void threadref_stress_constructed();
void threadref_stress_destroyed();
}
