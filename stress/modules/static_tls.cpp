// SPDX-License-Identifier: MIT
// Uses some of the small reserve of static thread-local storage that the C library has for objects
// that are loaded late.

[[gnu::tls_model("initial-exec")]] thread_local char threadref_stress_taken[64] = {};

extern "C" char* threadref_stress_take() {
  return threadref_stress_taken;
}
