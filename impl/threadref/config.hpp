// SPDX-License-Identifier: MIT
// The only file that tests for the compiler, the C library or a sanitizer.
#pragma once

#include <limits.h>

#include <cstddef>

#include "threadref/version.hpp"

#if defined(__has_feature)
#  define THREADREF_HAS_FEATURE(x) __has_feature(x)
#else
#  define THREADREF_HAS_FEATURE(x) 0
#endif

#if defined(__SANITIZE_THREAD__) || THREADREF_HAS_FEATURE(thread_sanitizer)
#  define THREADREF_UNDER_TSAN 1
#  include <sanitizer/tsan_interface.h>
#else
#  define THREADREF_UNDER_TSAN 0
#endif

#if defined(__SANITIZE_ADDRESS__) || THREADREF_HAS_FEATURE(address_sanitizer)
#  define THREADREF_UNDER_ASAN 1
#  include <sanitizer/asan_interface.h>
#else
#  define THREADREF_UNDER_ASAN 0
#endif

// valgrind can't be detected at compile time; the build type Memcheck defines this.
#if !defined(THREADREF_UNDER_MEMCHECK)
#  define THREADREF_UNDER_MEMCHECK 0
#endif

// For functions that catch abi::__forced_unwind. glibc throws it without an object, so the
// handler's reference is bound to null, which UndefinedBehaviorSanitizer would report. (It does
// report it if gcc 12 inlines the function into one without the attribute; hence noinline.)
#define THREADREF_CATCHES_UNWINDING __attribute__((no_sanitize("null"), noinline))
// The same for functions that are called only by such functions, once per finalizer.
#define THREADREF_CATCHES_UNWINDING_INLINE __attribute__((no_sanitize("null"), always_inline))

// A point at which the stress program may make this thread yield. Empty in the library that ships,
// so benchmarks and users never pay for it. See detail/points.hpp.
#if defined(THREADREF_POINTS)
#  define THREADREF_POINT(where) ::threadref::detail::at_point(::threadref::detail::point::where)
#else
#  define THREADREF_POINT(where) static_cast<void>(0)
#endif

// Whether this code is compiled for a shared object.
#if defined(__PIC__) && !defined(__PIE__)
#  define THREADREF_IN_SHARED_OBJECT 1
#else
#  define THREADREF_IN_SHARED_OBJECT 0
#endif

// How position-independent code finds the thread_local pointer of a back end. By default it asks
// the C library. With the CMake option THREADREF_TLS_MODEL=initial-exec it uses an offset that is
// known once the object is loaded; dlopen() then needs free static TLS in all existing threads. In
// an executable both are a fixed offset, and the attribute would only cost an instruction.
#if defined(THREADREF_TLS_INITIAL_EXEC) && THREADREF_IN_SHARED_OBJECT
#  define THREADREF_TLS [[gnu::tls_model("initial-exec")]]
#else
#  define THREADREF_TLS
#endif

// For functions that read a thread_local and are called from user code. A fiber that calls one,
// switches, and goes on on another thread may call it again; but compilers keep the address of a
// thread_local for the rest of a function (seen: clang 14 with link-time optimisation). So such a
// function is not inlined. On x86-64 it may be wherever the variable has a fixed offset: it is then
// read relative to the register fs, and no address is computed that could be kept.
#if defined(__x86_64__) && (!THREADREF_IN_SHARED_OBJECT || defined(THREADREF_TLS_INITIAL_EXEC))
#  define THREADREF_READS_TLS
#else
#  define THREADREF_READS_TLS [[gnu::noinline]]
#endif

// Whether the library prevents the shared object that it is linked into from being unloaded, and
// code that registers prevents that for its own object. A plugin may be built without either; it
// must then call unload(), if it has a copy of the library, or else detach_all() before it is
// unloaded.
#if defined(THREADREF_NO_PIN)
#  define THREADREF_PINS_ITSELF 0
#else
#  define THREADREF_PINS_ITSELF 1
#endif

// Null where the program is not linked with the sanitizer.
extern "C" {
[[gnu::weak]] void __lsan_register_root_region(const void* begin, std::size_t bytes);
[[gnu::weak]] void __lsan_unregister_root_region(const void* begin, std::size_t bytes);
[[gnu::weak]] void __asan_unpoison_memory_region(const volatile void* begin, std::size_t bytes);
}

namespace threadref::inline THREADREF_ABI::detail {

inline constexpr bool pins_itself = THREADREF_PINS_ITSELF != 0;
inline constexpr bool under_tsan = THREADREF_UNDER_TSAN != 0;
inline constexpr bool under_asan = THREADREF_UNDER_ASAN != 0;
inline constexpr bool under_memcheck = THREADREF_UNDER_MEMCHECK != 0;

// How many rounds of key destructors a hook may use. ThreadSanitizer tears a thread down in its own
// key destructor, in the last round: code that still runs then is reported as a race (gcc 12) or
// crashes (clang 14 and 19). So it gets one round less (google/sanitizers#414, WontFix).
inline constexpr int destructor_rounds = PTHREAD_DESTRUCTOR_ITERATIONS - (under_tsan ? 1 : 0);

inline constexpr std::size_t cache_line = 64;

// Recycled slots would blind AddressSanitizer, which finds uses after free only in memory that is
// freed. So a slot's closure bytes are poisoned while it holds no closure.
inline void poison([[maybe_unused]] void* bytes, [[maybe_unused]] std::size_t count) noexcept {
#if THREADREF_UNDER_ASAN
  __asan_poison_memory_region(bytes, count);
#endif
}
inline void unpoison([[maybe_unused]] void* bytes, [[maybe_unused]] std::size_t count) noexcept {
#if THREADREF_UNDER_ASAN
  __asan_unpoison_memory_region(bytes, count);
#endif
}

// LeakSanitizer does not scan the library's own mappings. It would report every heap object that
// only a pending finalizer holds. Asked at run time, since the program may be checked although the
// library was compiled without.
inline void tell_leak_checker(void* bytes, std::size_t count) noexcept {
  if (__lsan_register_root_region != nullptr) __lsan_register_root_region(bytes, count);
}
// Before such memory is returned to the system: others may use its bytes afterwards.
inline void untell_leak_checker(void* bytes, std::size_t count) noexcept {
  if (__lsan_unregister_root_region != nullptr) __lsan_unregister_root_region(bytes, count);
  if (__asan_unpoison_memory_region != nullptr) __asan_unpoison_memory_region(bytes, count);
}

// In the child of a fork, ThreadSanitizer believes that the surviving thread holds what it held in
// the parent.
inline void tell_race_checker_unlocked([[maybe_unused]] void* mutex) noexcept {
#if THREADREF_UNDER_TSAN
  __tsan_mutex_pre_unlock(mutex, 0);
  __tsan_mutex_post_unlock(mutex, 0);
#endif
}

}  // namespace threadref::inline THREADREF_ABI::detail
