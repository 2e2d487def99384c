// SPDX-License-Identifier: MIT
// One of the many objects that the sweep of loaded objects loads.
#include "bench/plugins/object.hpp"

#include "bench/baselines/peers/peer_cxa_thread_atexit.hpp"

// Passes this object's own handle, as the compiler does when it registers a thread_local.
extern "C" int threadref_bench_register(void (*fn)(void*), void* arg) {
  return __cxa_thread_atexit_impl(fn, arg, &threadref_dso_handle);
}
