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
// glibc frees the entry of a thread_local's destructor after the destructor's return, and so never
// when that leaves by pthread_exit, which checks 62 and 125 do: 32 bytes each, not ours to free.
const char* __lsan_default_suppressions();
const char* __lsan_default_suppressions() {
  return "leak:__cxa_thread_atexit_impl\n";
}
const char* __ubsan_default_options();
const char* __ubsan_default_options() {
  return "print_stacktrace=1";
}

}  // extern "C"
