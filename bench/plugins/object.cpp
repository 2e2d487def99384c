// SPDX-License-Identifier: MIT
// One of the many that the sweep of loaded objects loads.
#include "bench/plugins/object.hpp"

#include "bench/baselines/peers/peer_cxa_thread_atexit.hpp"

// With this object's own handle, as the compiler has its thread_locals registered.
extern "C" int threadref_bench_register(void (*fn)(void*), void* arg) {
  return __cxa_thread_atexit_impl(fn, arg, &threadref_bench_dso_handle);
}
