// SPDX-License-Identifier: MIT
// What the modules beside the program export; no module has all of it.
#pragma once

#include "stress/matrix/model/mechanism.hpp"

namespace threadref::stress {

// Threads that belong to somebody else.
struct pool_face {
  void* (*start)(int workers);
  // Has task(with) called on that many workers, each once if possible; may return before.
  void (*enqueue)(void* pool, int workers, void (*task)(void*), void* with);
  // Ends the workers in order. False: it could not.
  bool (*end)(void* pool);
};

}  // namespace threadref::stress

extern "C" {
// stress_backends: the back end or canary of that name, of the module's own copy of the library.
const threadref::stress::mechanism* threadref_stress_mechanism_of(const char* name);
// stress_code, and all that have mechanisms: a callback whose code is there, which calls the
// callback at `c`; and data.
void threadref_stress_forward(void* c);
threadref::stress::callback* threadref_stress_data();
// stress_malloc: has this called in each malloc and its kin, before they do anything.
void threadref_stress_hook_allocation(void (*hook)() noexcept);
// stress_asio, stress_openmp.
const threadref::stress::pool_face* threadref_stress_pool();
// By the program, for stress_constructor: called by its constructor, and so inside dlopen.
void threadref_stress_constructed();
}
