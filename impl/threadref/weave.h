// SPDX-License-Identifier: MIT
// For C code that was written for the header ft_weave.h of ft_utils: the same names, on this
// library. Only the include path changes. What the names mean, they mean here too: destructors of a
// thread run oldest first, get the value that the variable holds then, and are called for null.
//
// What is otherwise:
//  - Nothing aborts. A destructor that can't be registered is reported in one line on standard
//    error and in errno; registering one for a null variable, or a null one, is such an error.
//  - A destructor may register others, as deep as it likes; it may unregister pending ones.
//  - Key number 0 is a key like any other.
//  - What main registered also runs when the process ends, not only by pthread_exit().
//  - Python is neither needed nor called: _py_... do the same as the functions without it.
#pragma once

// C has no other way to say these. NOLINTBEGIN(modernize-use-using, readability-identifier-naming)

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "threadref/threadref.h"

// A storage class for variables of a thread: static weave_local void *buffer = NULL;
#define weave_local THREADREF_THREAD_LOCAL

typedef pthread_key_t wvls_key_t;

typedef void (*wvls_destructor_t)(void*);

// The next four are those of POSIX, and give 0 or its error numbers; a destructor of a key is not
// called for null.
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

// Has destructor(*variable) called at the exit of the calling thread: threadref_register_destructor
// for those who do not look at errors.
static inline void register_wvls_destructor(void** variable, wvls_destructor_t destructor) {
  const int status = (int)threadref_register_destructor(variable, destructor);
  if (status == THREADREF_OK) return;
  fprintf(stderr, "threadref: a destructor was not registered: %s\n", threadref_strerror(status));
  errno = status;
}

// Removes all destructors of the variable on the calling thread. 1: there were some; else 0.
static inline int unregister_wvls_destructor(void** variable) {
  return threadref_unregister_destructor(variable) ? 1 : 0;
}

// What extension modules call, which do not link the library that they register with. 0, or 1 for
// an error, which is in errno.
// NOLINTNEXTLINE(bugprone-reserved-identifier): the name that such code uses
static inline int _py_register_wvls_destructor(void** variable, wvls_destructor_t destructor) {
  const int status = (int)threadref_register_destructor(variable, destructor);
  if (status != THREADREF_OK) errno = status;
  return status != THREADREF_OK;
}

// 0, and in *unregistered what unregister_wvls_destructor() gives.
// NOLINTNEXTLINE(bugprone-reserved-identifier): the name that such code uses
static inline int _py_unregister_wvls_destructor(void** variable, int* unregistered) {
  *unregistered = unregister_wvls_destructor(variable);
  return 0;
}

// NOLINTEND(modernize-use-using, readability-identifier-naming)
