// SPDX-License-Identifier: MIT
// Takes some of the little that the C library keeps for the static thread-local storage of objects
// that are loaded late.

[[gnu::tls_model("initial-exec")]] thread_local char threadref_stress_taken[64] = {};

extern "C" char* threadref_stress_take() {
  return threadref_stress_taken;
}
