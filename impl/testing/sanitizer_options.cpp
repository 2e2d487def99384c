// SPDX-License-Identifier: MIT
// The sanitizers' defaults for every program here; the environment overrides them. The runtimes
// call these functions before main; without a sanitizer nothing does.

extern "C" {

// The first report ends the program: later errors may only follow from it. Status 66 distinguishes
// a report from the program's own statuses. ThreadSanitizer's default, to wait a second at exit,
// would double the time of the tests.
const char* __tsan_default_options();
const char* __tsan_default_options() {
  return "halt_on_error=1:second_deadlock_stack=1:exitcode=66:atexit_sleep_ms=0";
}
const char* __asan_default_options();
const char* __asan_default_options() {
  return "exitcode=66:detect_stack_use_after_return=1";
}
const char* __ubsan_default_options();
const char* __ubsan_default_options() {
  return "exitcode=66:print_stacktrace=1";
}
// Leaks of the platform, one for each finalizer that calls pthread_exit, as checks 62 and 125 and
// the scenario `mixed` do: glibc frees the record of a thread_local's destructor (32 bytes) only
// after the destructor has returned, and Boost frees the data of a thread that it did not start
// (some 400 bytes) only after its cleanups have returned.
const char* __lsan_default_suppressions();
const char* __lsan_default_suppressions() {
  return "leak:__cxa_thread_atexit_impl\nleak:libboost_thread\n";
}
const char* __lsan_default_options();
const char* __lsan_default_options() {
  return "print_suppressions=0";
}

}  // extern "C"
