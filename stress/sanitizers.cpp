// SPDX-License-Identifier: MIT
#include "sanitizers.hpp"

#include <sys/personality.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "threadref/config.hpp"

// What the runtimes ask for before main; without a sanitizer nobody does. 66 tells a report from
// the program's own statuses; a second of waiting at exit (the default) would double the tests.
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() {
  return "halt_on_error=1:second_deadlock_stack=1:atexit_sleep_ms=0:exitcode=66";
}
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "exitcode=66";
}
extern "C" const char* __ubsan_default_options();
extern "C" const char* __ubsan_default_options() {
  return "exitcode=66:print_stacktrace=1";
}
// Leaks that are the platform's, once for each finalizer that calls pthread_exit (mixed): glibc
// frees the record of a thread_local's destructor, and Boost its thread's data, only if that
// destructor, or that cleanup, returns.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:__cxa_thread_atexit_impl\nleak:libboost_thread\n";
}
extern "C" const char* __lsan_default_options();
extern "C" const char* __lsan_default_options() {
  return "print_suppressions=0";
}

namespace threadref::stress {

void rerun_without_aslr_if_needed(char** argv) {
  constexpr int bits_it_bears = 28;
  if (!detail::under_tsan) return;
  int bits = 0;
  std::ifstream("/proc/sys/vm/mmap_rnd_bits") >> bits;
  constexpr unsigned long ask = 0xffffffff;
  const int now = personality(ask);
  if (bits <= bits_it_bears || (now >= 0 && (now & ADDR_NO_RANDOMIZE) != 0)) return;
  if (now < 0 || personality(static_cast<unsigned long>(now) | ADDR_NO_RANDOMIZE) < 0) {
    std::fprintf(stderr,
                 "note: %d random bits in addresses are more than ThreadSanitizer bears, and they "
                 "can't be switched off here: %s\n",
                 bits, std::strerror(errno));
    return;
  }
  std::fprintf(stderr, "note: runs again without address randomisation, for ThreadSanitizer\n");
  execv("/proc/self/exe", argv);
  std::fprintf(stderr, "note: could not run again: %s\n", std::strerror(errno));
}

}  // namespace threadref::stress
