// SPDX-License-Identifier: MIT
// The sanitizers' defaults for every program here; the environment overrides them.

extern "C" {

// One report ends the program: what follows from memory that is wrong says little. Status 66 tells
// a report from a failed check.
const char* __tsan_default_options();
const char* __tsan_default_options() {
  return "halt_on_error=1:second_deadlock_stack=1:exitcode=66:atexit_sleep_ms=0";
}
const char* __asan_default_options();
const char* __asan_default_options() {
  return "exitcode=66:detect_stack_use_after_return=1";
}
// Checks 62 and 125 call pthread_exit inside finalizers. glibc frees the entry of a thread_local's
// destructor only after that has returned (32 bytes), and Boost the data of a thread that it did
// not start only after its cleanups have (some 400 bytes a thread): neither is ours to free.
const char* __lsan_default_suppressions();
const char* __lsan_default_suppressions() {
  return "leak:__cxa_thread_atexit_impl\nleak:libboost_thread\n";
}
const char* __ubsan_default_options();
const char* __ubsan_default_options() {
  return "print_stacktrace=1";
}

}  // extern "C"
