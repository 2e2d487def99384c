// SPDX-License-Identifier: MIT
// The little that the C tests need of a test framework.
#pragma once

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static inline void require(bool holds, const char* what, int line) {
  if (holds) return;
  fprintf(stderr, "line %d: does not hold: %s\n", line, what);
  abort();
}
#define CHECK(condition) require((condition), #condition, __LINE__)

static inline pthread_t start(void* (*body)(void*), void* argument) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, body, argument) == 0);
  return thread;
}

static inline void join(pthread_t thread) {
  CHECK(pthread_join(thread, NULL) == 0);
}

// One thread from start to join.
static inline void on_a_thread(void* (*body)(void*), void* argument) {
  join(start(body, argument));
}

// Both threads must arrive here before either continues.
static inline void wait_at(pthread_barrier_t* barrier) {
  const int result = pthread_barrier_wait(barrier);
  CHECK(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD);
}
