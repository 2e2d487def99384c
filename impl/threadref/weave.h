// SPDX-License-Identifier: MIT
// For C code that was written for the header ft_weave.h of ft_utils: the same names, implemented by
// this library. Only the include path changes. The names mean the same: a thread's destructors run
// on it oldest first, receive the value that the variable holds at that moment, and are called for
// null too.
//
// The differences:
//  - Nothing aborts. A destructor that can't be registered is reported in one line on standard
//    error and in errno. A null variable or a null destructor is such an error.
//  - A destructor may register others, to any depth, and may unregister pending ones.
//  - Key number 0 is a key like any other.
//  - What main registered also runs when the process ends, not only after pthread_exit().
//  - Python is neither needed nor called. The _py_... functions do what those without _py_ do.
#pragma once

// C has no other way to say these. NOLINTBEGIN(modernize-use-using, readability-identifier-naming)

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "threadref/threadref.h"

// The storage class of a thread-local variable: static weave_local void *buffer = NULL;
#define weave_local THREADREF_THREAD_LOCAL

typedef pthread_key_t wvls_key_t;

typedef void (*wvls_destructor_t)(void*);

// The next four are the POSIX functions for thread-specific data, and return what those return. A
// null `key` is EINVAL. A key's destructor is not called for null.
static inline int wvls_key_create(wvls_key_t* key, wvls_destructor_t destructor) {
  return key != NULL ? pthread_key_create(key, destructor) : EINVAL;
}

static inline int wvls_key_delete(wvls_key_t key) {
  return pthread_key_delete(key);
}

static inline int wvls_set_value(wvls_key_t key, void* value) {
  return pthread_setspecific(key, value);
}

static inline void* wvls_get_value(wvls_key_t key) {
  return pthread_getspecific(key);
}

// Registers destructor(*variable) to be called when the calling thread exits, on that thread:
// threadref_register_destructor() for callers that do not check errors. An error is reported in one
// line on standard error and in errno. O(1).
static inline void register_wvls_destructor(void** variable, wvls_destructor_t destructor) {
  const int status = (int)threadref_register_destructor(variable, destructor);
  if (status == THREADREF_OK) return;
  fprintf(stderr, "threadref: a destructor was not registered: %s\n", threadref_strerror(status));
  errno = status;
}

// Removes all destructors of the variable that the calling thread registered and that have not run
// yet. Returns 1 if there were any, else 0. O(destructors of the thread).
static inline int unregister_wvls_destructor(void** variable) {
  return threadref_unregister_destructor(variable) ? 1 : 0;
}

// For extension modules, which do not link the library that they register with. As
// register_wvls_destructor(), but prints nothing. Returns 0, or 1 after an error, with errno set.
// NOLINTNEXTLINE(bugprone-reserved-identifier): the name that such code uses
static inline int _py_register_wvls_destructor(void** variable, wvls_destructor_t destructor) {
  const int status = (int)threadref_register_destructor(variable, destructor);
  if (status != THREADREF_OK) errno = status;
  return status != THREADREF_OK;
}

// Returns 0, and stores the result of unregister_wvls_destructor() in *unregistered, which must not
// be null.
// NOLINTNEXTLINE(bugprone-reserved-identifier): the name that such code uses
static inline int _py_unregister_wvls_destructor(void** variable, int* unregistered) {
  *unregistered = unregister_wvls_destructor(variable);
  return 0;
}

// NOLINTEND(modernize-use-using, readability-identifier-naming)
