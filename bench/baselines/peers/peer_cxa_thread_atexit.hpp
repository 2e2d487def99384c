// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "bench/timing/probe.hpp"

// What the compiler calls for each thread_local with a destructor (Itanium C++ ABI; glibc since
// 2.18). No header declares these two, and their names are fixed. g++ itself declares the second
// for a thread_local inside a function and then accepts no other declaration of that name, so it
// has another name here.
extern "C" int __cxa_thread_atexit_impl(  // NOLINT(readability-identifier-naming)
    void (*fn)(void*), void* arg, void* dso) noexcept;
extern void* threadref_bench_dso_handle asm("__dso_handle");

namespace threadref::bench {

struct peer_cxa_thread_atexit {
  static constexpr std::string_view name = "peer_cxa_thread_atexit";
  static constexpr std::string_view summary =
      "the C library's own list, __cxa_thread_atexit_impl, raw";
  static constexpr std::string_view lacks =
      "takes none out again; no header declares it; an allocation for each; what comes while keys "
      "run is lost";

  static void arm(entry* /*storage*/, int /*n*/) noexcept {}
  template <class C>
  [[gnu::always_inline]] static void add(C /*c*/, C* stored) noexcept {
    static_cast<void>(__cxa_thread_atexit_impl(&run_state<C>, stored, &threadref_bench_dso_handle));
  }
};

}  // namespace threadref::bench
