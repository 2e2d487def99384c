// SPDX-License-Identifier: MIT
#include "stress/peers/peer.hpp"

// What the compiler calls for each thread_local with a destructor (Itanium C++ ABI; glibc since
// 2.18). No header declares these names.
extern "C" int __cxa_thread_atexit_impl(  // NOLINT(readability-identifier-naming)
    void (*fn)(void*), void* arg, void* dso) noexcept;
extern void* stress_dso_handle asm("__dso_handle");

namespace {

constexpr threadref::stress::mechanism m{
    .name = "peer_cxa_thread_atexit", .attach = [](threadref::stress::callback c) {
      return __cxa_thread_atexit_impl(c.run, c.with, &stress_dso_handle) == 0;
    }};

}  // namespace

const threadref::stress::mechanism* threadref_stress_mechanism() {
  return &m;
}
