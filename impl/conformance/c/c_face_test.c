// SPDX-License-Identifier: MIT
// Every function of the C API, from C11. The library's behaviour is checked in C++; this checks
// that each function reaches it and returns its result.
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "conformance/c/check.h"
#include "threadref/threadref.h"

// In throwing.cpp.
void throws(void* unused);
int incidents_so_far(void);

static char journal[64];
static void begin_log(void) {
  journal[0] = '\0';
}
static void append(void* text) {
  strncat(journal, text, sizeof journal - strlen(journal) - 1);
}
static void append_variable(void* value) {
  append(value != NULL ? value : "0");
}
static bool logged(const char* expected) {
  if (strcmp(journal, expected) == 0) return true;
  fprintf(stderr, "expected '%s', got '%s'\n", expected, journal);
  return false;
}

// A worker that waits for its tester twice at the barrier, and what the tester may look at.
struct pair {
  pthread_barrier_t barrier;
  threadref_finalizer finalizer;
  threadref_ref* ref;
  threadref_exit_node node;
  threadref_thread thread;
};
static void open_pair(struct pair* p) {
  memset(p, 0, sizeof *p);
  CHECK(pthread_barrier_init(&p->barrier, NULL, 2) == 0);
}
static void close_pair(struct pair* p) {
  CHECK(pthread_barrier_destroy(&p->barrier) == 0);
}

static void statuses_have_messages(void) {
  const int all[] = {THREADREF_OK,
                     THREADREF_INVALID,
                     THREADREF_NO_MEMORY,
                     THREADREF_NO_RESOURCE,
                     THREADREF_NOT_PERMITTED,
                     THREADREF_BUSY,
                     THREADREF_UNSUPPORTED,
                     THREADREF_DEADLOCK,
                     THREADREF_GONE,
                     THREADREF_THREW,
                     -1};
  const size_t count = sizeof all / sizeof all[0];
  for (size_t i = 0; i != count; ++i) {
    CHECK(strlen(threadref_strerror(all[i])) > 5);
    for (size_t j = 0; j != i; ++j) {
      CHECK(strcmp(threadref_strerror(all[i]), threadref_strerror(all[j])) != 0);
    }
  }
  CHECK(strcmp(threadref_strerror(12345), threadref_strerror(-1)) == 0);
}

static void* registers_in_all_places(void* unused) {
  static char d[] = "d";
  static void* variable = NULL;
  static void* empty = NULL;
  static threadref_exit_node node = THREADREF_EXIT_NODE_INIT;
  threadref_finalizer handle = THREADREF_FINALIZER_INIT;
  CHECK(threadref_finalize_in(THREADREF_VERY_LAST, append, "v", NULL) == THREADREF_OK);
  CHECK(threadref_register_destructor(&variable, append_variable) == THREADREF_OK);
  CHECK(threadref_register_destructor(&empty, append_variable) == THREADREF_OK);
  CHECK(threadref_finalize(append, "1", &handle) == THREADREF_OK);
  CHECK(threadref_alive(handle));
  CHECK(threadref_exit_node_attach(&node, append, "2") == THREADREF_OK);
  CHECK(threadref_finalize_in(THREADREF_LAST, append, "3", NULL) == THREADREF_OK);
  CHECK(threadref_finalize_in(THREADREF_EARLY, append, "e", NULL) == THREADREF_OK);
  variable = d;  // what counts is the value at exit
  return unused;
}

static void order_is_the_same_as_in_cpp(void) {
  begin_log();
  on_a_thread(registers_in_all_places, NULL);
  CHECK(logged("e321d0v"));
}

// Differs: W-19: the compiler refuses other types, and the call what it can see to be wrong.
static void* gives_wrong_arguments(void* unused) {
  threadref_finalizer handle;
  memset(&handle, 1, sizeof handle);
  CHECK(threadref_finalize(NULL, NULL, &handle) == THREADREF_INVALID);
  CHECK(!threadref_alive(handle) && threadref_call(handle) == THREADREF_GONE);
  CHECK(threadref_finalize_in((threadref_phase)3, append, "", NULL) == THREADREF_INVALID);
  CHECK(threadref_finalize_in(THREADREF_EARLY, NULL, NULL, NULL) == THREADREF_INVALID);
  void* variable = NULL;
  CHECK(threadref_register_destructor(NULL, append) == THREADREF_INVALID);
  CHECK(threadref_register_destructor(&variable, NULL) == THREADREF_INVALID);
  CHECK(!threadref_unregister_destructor(&variable) && !threadref_unregister_destructor(NULL));
  threadref_exit_node node = THREADREF_EXIT_NODE_INIT;
  CHECK(threadref_exit_node_attach(NULL, append, NULL) == THREADREF_INVALID);
  CHECK(threadref_exit_node_attach(&node, NULL, NULL) == THREADREF_INVALID);
  CHECK(threadref_exit_node_attach_inside_malloc(NULL, append, NULL) == THREADREF_INVALID);
  CHECK(threadref_exit_node_detach(&node) == THREADREF_INVALID);
  CHECK(threadref_exit_node_detach(NULL) == THREADREF_INVALID);
  threadref_ref* ref = NULL;
  CHECK(threadref_ref_make(NULL) == THREADREF_INVALID);
  CHECK(threadref_ref_make_with(NULL, NULL, &ref) == THREADREF_INVALID && ref == NULL);
  CHECK(threadref_ref_copy(NULL, NULL) == THREADREF_INVALID);
  CHECK(threadref_current(NULL) == THREADREF_INVALID);
  size_t count = 0;
  CHECK(threadref_enumerate(NULL, 0, NULL) == THREADREF_INVALID);
  CHECK(threadref_enumerate(NULL, 1, &count) == THREADREF_INVALID);
  return unused;
}

static void* calls_and_cancels(void* unused) {
  threadref_finalizer called;
  threadref_finalizer cancelled;
  threadref_finalizer thrown;
  CHECK(threadref_finalize(append, "a", &called) == THREADREF_OK);
  CHECK(threadref_finalize(append, "b", &cancelled) == THREADREF_OK);
  CHECK(threadref_finalize(throws, NULL, &thrown) == THREADREF_OK);
  CHECK(threadref_finalize(throws, NULL, NULL) == THREADREF_OK);
  CHECK(threadref_finalize(append, "y", NULL) == THREADREF_OK);
  CHECK(threadref_call(called) == THREADREF_OK && logged("a"));
  CHECK(threadref_call(called) == THREADREF_GONE && !threadref_alive(called));
  CHECK(threadref_cancel(called) == THREADREF_GONE);
  CHECK(threadref_cancel(cancelled) == THREADREF_OK);
  CHECK(threadref_call(cancelled) == THREADREF_GONE);
  const int before = incidents_so_far();
  CHECK(threadref_call(thrown) == THREADREF_THREW && incidents_so_far() == before + 1);
  CHECK(threadref_call(thrown) == THREADREF_GONE);
  return unused;
}

static void* exits(void* unused) {
  pthread_exit(unused);
}
static void exit_thread(void* unused) {
  exits(unused);
}
static void* leaves_by_a_call(void* unused) {
  threadref_finalizer leaves;
  CHECK(threadref_finalize(append, "rest", NULL) == THREADREF_OK);
  CHECK(threadref_finalize(exit_thread, NULL, &leaves) == THREADREF_OK);
  threadref_call(leaves);
  append(" came back");
  return unused;
}

static void finalizers_can_be_claimed(void) {
  begin_log();
  const int before = incidents_so_far();
  on_a_thread(calls_and_cancels, NULL);
  CHECK(logged("ay") && incidents_so_far() == before + 2);
  begin_log();
  on_a_thread(leaves_by_a_call, NULL);
  CHECK(logged("rest"));
}

static void* stays(void* of_pair) {
  struct pair* p = of_pair;
  CHECK(threadref_finalize(append, "f", &p->finalizer) == THREADREF_OK);
  CHECK(threadref_exit_node_attach(&p->node, append, "n") == THREADREF_OK);
  CHECK(threadref_ref_make(&p->ref) == THREADREF_OK);
  CHECK(threadref_current(&p->thread) == THREADREF_OK);
  CHECK(threadref_wait(p->finalizer) == THREADREF_DEADLOCK);
  wait_at(&p->barrier);
  wait_at(&p->barrier);
  return NULL;
}

static void another_thread_sees_and_claims(void) {
  struct pair p;
  open_pair(&p);
  begin_log();
  const pthread_t worker = start(stays, &p);
  wait_at(&p.barrier);
  CHECK(threadref_alive(p.finalizer) && threadref_atexit(p.finalizer));
  threadref_set_atexit(p.finalizer, false);
  CHECK(!threadref_atexit(p.finalizer));
  threadref_set_atexit(p.finalizer, true);
  CHECK(threadref_atexit(p.finalizer));
  CHECK(threadref_exit_node_detach(&p.node) == THREADREF_NOT_PERMITTED);
  threadref_thread seen = {0};
  CHECK(threadref_ref_lock(p.ref, &seen) && threadref_ref_lock(p.ref, NULL));
  CHECK(seen.serial == p.thread.serial && seen.tid == p.thread.tid && !seen.is_main);
  CHECK(seen.state == THREADREF_RUNNING && strlen(seen.name) > 0);
  CHECK(!threadref_ref_expired(p.ref));
  CHECK(threadref_call(p.finalizer) == THREADREF_OK && logged("f"));
  CHECK(threadref_wait(p.finalizer) == THREADREF_OK);
  wait_at(&p.barrier);
  join(worker);
  CHECK(logged("fn"));
  CHECK(!threadref_atexit(p.finalizer) && threadref_cancel(p.finalizer) == THREADREF_GONE);
  CHECK(threadref_ref_expired(p.ref));
  CHECK(!threadref_ref_lock(p.ref, &seen));
  threadref_ref_drop(p.ref);
  close_pair(&p);
}

static void waiting_ends_with_the_run(void) {
  struct pair p;
  open_pair(&p);
  begin_log();
  const pthread_t worker = start(stays, &p);
  wait_at(&p.barrier);
  CHECK(threadref_cancel(p.finalizer) == THREADREF_OK);
  wait_at(&p.barrier);
  CHECK(threadref_wait(p.finalizer) == THREADREF_OK);
  join(worker);
  CHECK(logged("n") && threadref_wait((threadref_finalizer)THREADREF_FINALIZER_INIT) == 0);
  threadref_ref_drop(p.ref);
  close_pair(&p);
  open_pair(&p);
  const pthread_t runs = start(stays, &p);
  wait_at(&p.barrier);
  begin_log();
  wait_at(&p.barrier);
  CHECK(threadref_wait(p.finalizer) == THREADREF_OK);
  CHECK(logged("nf"));
  join(runs);
  threadref_ref_drop(p.ref);
  close_pair(&p);
}

static void append_if_expired(const threadref_ref* self, void* text) {
  threadref_ref* copy = NULL;
  CHECK(threadref_ref_expired(self) && !threadref_ref_lock(self, NULL));
  CHECK(threadref_ref_copy(self, &copy) == THREADREF_OK && threadref_ref_equal(self, copy));
  threadref_ref_drop(copy);
  append(text);
}

static void* makes_refs(void* into) {
  threadref_ref** stored = into;
  threadref_ref* dropped = NULL;
  threadref_ref* plain = NULL;
  CHECK(threadref_ref_make_with(append_if_expired, "k", &stored[0]) == THREADREF_OK);
  CHECK(threadref_finalize(append, "m", NULL) == THREADREF_OK);
  CHECK(threadref_ref_make_with(append_if_expired, "x", &dropped) == THREADREF_OK);
  CHECK(threadref_ref_make_with(append_if_expired, "c", &plain) == THREADREF_OK);
  CHECK(threadref_ref_copy(plain, &stored[1]) == THREADREF_OK);
  CHECK(threadref_ref_equal(stored[0], stored[1]) && !threadref_ref_expired(stored[0]));
  threadref_ref_drop(dropped);
  threadref_ref_drop(plain);
  return NULL;
}

static void refs_expire_and_notify(void) {
  begin_log();
  threadref_ref* stored[2];
  on_a_thread(makes_refs, stored);
  CHECK(logged("cmk"));
  CHECK(!threadref_ref_equal(stored[0], stored[1]) && threadref_ref_equal(stored[0], stored[0]));
  threadref_ref* none = stored[0];
  CHECK(threadref_ref_copy(NULL, &none) == THREADREF_OK && none == NULL);
  CHECK(threadref_ref_expired(NULL) && !threadref_ref_lock(NULL, NULL));
  CHECK(threadref_ref_equal(NULL, NULL) && !threadref_ref_equal(NULL, stored[0]));
  threadref_ref_drop(NULL);
  threadref_ref_drop(stored[0]);
  threadref_ref_drop(stored[1]);
}

static void* attaches_nodes(void* unused) {
  static threadref_exit_node nodes[3];  // zero: not attached
  threadref_exit_node* heap = calloc(1, sizeof *heap);
  CHECK(heap != NULL && threadref_exit_node_attach(heap, free, heap) == THREADREF_OK);
  CHECK(threadref_exit_node_attach(&nodes[0], append, "0") == THREADREF_OK);
  CHECK(threadref_exit_node_attach(&nodes[0], append, "0") == THREADREF_BUSY);
  CHECK(threadref_exit_node_attach(&nodes[1], append, "1") == THREADREF_OK);
  CHECK(threadref_exit_node_detach(&nodes[1]) == THREADREF_OK);
  CHECK(threadref_exit_node_detach(&nodes[1]) == THREADREF_INVALID);
  const threadref_status inside = threadref_exit_node_attach_inside_malloc(&nodes[2], append, "2");
  CHECK(inside == THREADREF_OK || inside == THREADREF_UNSUPPORTED);
  if (inside == THREADREF_UNSUPPORTED) {
    CHECK(threadref_exit_node_attach(&nodes[2], append, "2") == THREADREF_OK);
  }
  return unused;
}

static void exit_nodes_need_no_memory(void) {
  begin_log();
  on_a_thread(attaches_nodes, NULL);
  CHECK(logged("20"));
}

static THREADREF_THREAD_LOCAL void* first;
static THREADREF_THREAD_LOCAL void* second;
static void empty_second(void* text) {
  append(text);
  second = NULL;
}
static void* registers_destructors(void* unused) {
  first = "1";
  second = "2";
  CHECK(threadref_register_destructor(&first, append_variable) == THREADREF_OK);
  CHECK(threadref_register_destructor(&second, append_variable) == THREADREF_OK);
  CHECK(threadref_register_destructor(&first, append_variable) == THREADREF_OK);
  CHECK(threadref_unregister_destructor(&first) && !threadref_unregister_destructor(&first));
  CHECK(threadref_register_destructor(&first, empty_second) == THREADREF_OK);
  CHECK(threadref_register_destructor(&second, append_variable) == THREADREF_OK);
  return unused;
}

static void destructors_read_their_variable_at_exit(void) {
  begin_log();
  on_a_thread(registers_destructors, NULL);
  CHECK(logged("210"));
}

static void the_library_reports_about_itself(void) {
  const threadref_counters before = threadref_stats();
  struct pair p;
  open_pair(&p);
  const pthread_t worker = start(stays, &p);
  wait_at(&p.barrier);
  CHECK(threadref_ensure());
  size_t count = 0;
  CHECK(threadref_enumerate(NULL, 0, &count) == THREADREF_OK && count == 2);
  threadref_thread threads[3] = {{0}};
  CHECK(threadref_enumerate(threads, 3, &count) == THREADREF_OK && count == 2);
  const int main_at = threads[0].is_main ? 0 : 1;
  CHECK(threads[main_at].is_main && threads[main_at].tid == getpid());
  CHECK(threads[1 - main_at].serial == p.thread.serial && threads[2].serial == 0);
  begin_log();
  CHECK(threadref_detach_all(&journal) == 1);  // the exit_node is not found
  CHECK(threadref_detach_all(NULL) == 0);
  wait_at(&p.barrier);
  join(worker);
  CHECK(logged("n"));
  const threadref_counters now = threadref_stats();
  CHECK(now.registered - before.registered == 2);
  CHECK(now.ran_at_exit - before.ran_at_exit == 1 && now.detached - before.detached == 1);
  threadref_ref_drop(p.ref);
  threadref_trim();
  close_pair(&p);
}

static pthread_key_t younger_key;
static bool was_refused = false;
static void tries_again(void* rounds) {
  if (threadref_ensure()) {
    int* left = rounds;
    if (--*left != 0) CHECK(pthread_setspecific(younger_key, rounds) == 0);
    return;
  }
  threadref_thread none;
  threadref_ref* ref = NULL;
  threadref_exit_node node = THREADREF_EXIT_NODE_INIT;
  was_refused = threadref_finalize(append, "late", NULL) == THREADREF_NOT_PERMITTED &&
                threadref_current(&none) == THREADREF_NOT_PERMITTED &&
                threadref_ref_make(&ref) == THREADREF_NOT_PERMITTED &&
                threadref_exit_node_attach(&node, append, "") == THREADREF_NOT_PERMITTED &&
                threadref_register_destructor(&first, append) == THREADREF_NOT_PERMITTED;
}
static void* uses_a_younger_key(void* rounds) {
  CHECK(threadref_ensure());
  CHECK(pthread_setspecific(younger_key, rounds) == 0);
  return NULL;
}

static void an_ended_thread_is_refused(void) {
  int rounds = 4;
  CHECK(pthread_key_create(&younger_key, tries_again) == 0);
  on_a_thread(uses_a_younger_key, &rounds);
  CHECK(was_refused);
  CHECK(pthread_key_delete(younger_key) == 0);
}

int main(void) {
  statuses_have_messages();
  order_is_the_same_as_in_cpp();
  on_a_thread(gives_wrong_arguments, NULL);
  finalizers_can_be_claimed();
  another_thread_sees_and_claims();
  waiting_ends_with_the_run();
  refs_expire_and_notify();
  exit_nodes_need_no_memory();
  destructors_read_their_variable_at_exit();
  the_library_reports_about_itself();
  an_ended_thread_is_refused();
  return EXIT_SUCCESS;
}
