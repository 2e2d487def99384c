// SPDX-License-Identifier: MIT
// A program written for weave; only the include path differs. Its output is compared with
// weave_program.txt.
#include "threadref/weave.h"

static weave_local void* buffer = NULL;
static weave_local void* connection = NULL;
static weave_local void* nothing = NULL;
static weave_local void* cache = NULL;

static wvls_key_t key;

static void free_buffer(void* value) {
  printf("buffer: %s\n", (const char*)value);
  free(value);
  buffer = NULL;
}

// Leaves null for the destructors after it.
static void close_connection(void* value) {
  printf("connection: %s\n", value != NULL ? (const char*)value : "closed already");
  connection = NULL;
}

static void see_nothing(void* value) {
  printf("nothing: %s\n", value == NULL ? "null" : "something");
}

static weave_local int depth = 0;
static void nest(void* value) {
  printf("nested %d\n", ++depth);
  if (depth != 10) register_wvls_destructor((void**)value, nest);
}

static void never(void* value) {
  printf("must not be called: %p\n", value);
}
static void drop_others(void* value) {
  printf("unregistered in a destructor: %d\n", unregister_wvls_destructor((void**)value));
}

static void end_of_key(void* value) {
  printf("key: %s\n", (const char*)value);
}

static char* new_text(const char* text) {
  char* copy = malloc(32);
  if (copy == NULL) exit(EXIT_FAILURE);
  snprintf(copy, 32, "%s", text);
  return copy;
}

// Shows: W-02, W-04, W-11.
// Differs: W-18: nothing has to be switched on.
static void* mixes(void* unused) {
  register_wvls_destructor(&buffer, free_buffer);
  register_wvls_destructor(&connection, close_connection);
  register_wvls_destructor(&nothing, see_nothing);
  register_wvls_destructor(&connection, close_connection);
  buffer = new_text("text of the worker");
  static char open[] = "open";
  connection = open;
  return unused;
}

// Shows: W-24.
// Differs: W-08: all ten run: the stage goes on until there are no more, or a limit of its own is
// met.
static void* nests(void* unused) {
  cache = &cache;
  register_wvls_destructor(&cache, nest);
  return unused;
}

// Shows: W-07.
static void* unregisters(void* unused) {
  register_wvls_destructor(&cache, never);
  register_wvls_destructor(&buffer, free_buffer);
  register_wvls_destructor(&cache, never);
  buffer = new_text("still registered");
  int found = -1;
  printf("unregistered: %d", unregister_wvls_destructor(&cache));
  printf(" %d", unregister_wvls_destructor(&cache));
  printf(" %d", _py_unregister_wvls_destructor(&cache, &found));
  printf(" %d\n", found);
  return unused;
}

static void* unregisters_at_exit(void* unused) {
  nothing = &cache;
  if (_py_register_wvls_destructor(&nothing, drop_others) != 0) exit(EXIT_FAILURE);
  register_wvls_destructor(&cache, never);
  register_wvls_destructor(&cache, never);
  return unused;
}

static void* makes_mistakes(void* unused) {
  errno = 0;
  register_wvls_destructor(NULL, never);
  printf("null variable: %d\n", errno == EINVAL);
  printf("null function: %d\n", _py_register_wvls_destructor(&buffer, NULL));
  printf("unregistered: %d\n", unregister_wvls_destructor(NULL));
  return unused;
}

static void* sets_key(void* unused) {
  static char value[] = "value";
  if (wvls_set_value(key, value) != 0) exit(EXIT_FAILURE);
  printf("set: %s\n", (const char*)wvls_get_value(key));
  return unused;
}

// Shows: W-11.
static void* leaves_early(void* unused) {
  register_wvls_destructor(&connection, close_connection);
  pthread_exit(unused);
}

// Shows: W-11.
static void* is_cancelled(void* unused) {
  static char open[] = "open when cancelled";
  connection = open;
  register_wvls_destructor(&connection, close_connection);
  if (pthread_cancel(pthread_self()) != 0) exit(EXIT_FAILURE);
  pthread_testcancel();
  return unused;
}

static void run(const char* what, void* (*body)(void*)) {
  pthread_t worker;
  printf("-- %s\n", what);
  if (pthread_create(&worker, NULL, body, NULL) != 0) exit(EXIT_FAILURE);
  if (pthread_join(worker, NULL) != 0) exit(EXIT_FAILURE);
}

// Shows: W-24.
// Differs: W-12: main's run when the process ends by exit or a return from main.
int main(void) {
  if (wvls_key_create(&key, end_of_key) != 0) return EXIT_FAILURE;
  run("several variables", mixes);
  run("deeper than the rounds of keys", nests);
  run("unregister", unregisters);
  run("unregister in a destructor", unregisters_at_exit);
  run("mistakes", makes_mistakes);
  run("a key", sets_key);
  run("pthread_exit", leaves_early);
  run("cancelled", is_cancelled);
  if (wvls_key_delete(key) != 0) return EXIT_FAILURE;
  printf("-- main\n");
  register_wvls_destructor(&connection, close_connection);
  return EXIT_SUCCESS;
}
