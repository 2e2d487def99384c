// SPDX-License-Identifier: MIT
// The C face: finalizers, weak references and registered destructors for threads, on the default
// back end. C11 and C++. What runs when, and in which order, is the same as in C++; both faces may
// be used on one thread.
//
// No C++ exception leaves these functions. What a function of yours throws at thread exit goes to
// the unraisable hook (one line on standard error by default); for threadref_call() see there.
// pthread_exit() and cancellation do unwind through threadref_call() and threadref_wait().
#pragma once

// C has no other way to say these. NOLINTBEGIN(modernize-use-using, readability-identifier-naming)

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#if defined(__cplusplus)
#  define THREADREF_NOEXCEPT noexcept
#  define THREADREF_THREAD_LOCAL thread_local
extern "C" {
#else
#  define THREADREF_NOEXCEPT
#  define THREADREF_THREAD_LOCAL _Thread_local
#endif

// ------------------------------------------------------------------------------------- errors

// Each is an error number of <errno.h>. After an error nothing has changed.
typedef enum threadref_status {
  THREADREF_OK = 0,
  THREADREF_INVALID = EINVAL,  // a null argument that must not be, or not attached
  THREADREF_NO_MEMORY = ENOMEM,
  THREADREF_NO_RESOURCE = EAGAIN,      // no pthread key is left, or 2^20 threads are alive
  THREADREF_NOT_PERMITTED = EPERM,     // the thread has ended; or an exit_node of another thread
  THREADREF_BUSY = EBUSY,              // the exit_node is attached already
  THREADREF_UNSUPPORTED = EOPNOTSUPP,  // inside malloc, and registering could call malloc
  THREADREF_DEADLOCK = EDEADLK,        // it would wait for itself
  THREADREF_GONE = ESRCH,              // that finalizer can't be had any more
  THREADREF_THREW = ECANCELED          // the function ran and ended by a C++ exception
} threadref_status;

// One sentence in English, for any number: "unknown status" for one that is none of the above.
// Never null; static storage. Any thread. O(1).
const char* threadref_strerror(int status) THREADREF_NOEXCEPT;

// ------------------------------------------------------------------------------------ threads

typedef enum threadref_thread_state {
  THREADREF_RUNNING = 0,   // its finalizers are pending
  THREADREF_DRAINING = 1,  // they have started to run; its refs are expired
  THREADREF_ENDED = 2      // nothing will run on it any more
} threadref_thread_state;

// What was known of a thread when it was asked for. A plain copy: it keeps nothing alive.
typedef struct threadref_thread {
  uint64_t serial;  // a number that no other thread ever has; 0: none
  pid_t tid;        // the kernel's id; another thread may have it once this one has ended
  char name[16];    // empty if it had none
  bool is_main;
  threadref_thread_state state;
} threadref_thread;

// The calling thread; it becomes known to the library if it was not. `thread` must not be null.
// NO_MEMORY, NO_RESOURCE, NOT_PERMITTED (it has ended), INVALID. O(1), one lock.
threadref_status threadref_current(threadref_thread* thread) THREADREF_NOEXCEPT;

// Makes the calling thread known to the library, if it was not. False: it can't be, or has ended.
// One thread-local load on a thread that is known.
bool threadref_ensure(void) THREADREF_NOEXCEPT;

// Copies what is known of the threads that run or drain, at most `capacity` of them, to `threads`
// (may be null if that is 0), and says in `*count` how many there are. Any thread. NO_MEMORY,
// INVALID. O(threads that were ever alive at once).
threadref_status threadref_enumerate(threadref_thread* threads, size_t capacity,
                                     size_t* count) THREADREF_NOEXCEPT;

// --------------------------------------------------------------------------------- finalizers

// When, within its thread's exit, a function is called.
typedef enum threadref_phase {
  THREADREF_EARLY = 0,     // with the C++ thread_locals
  THREADREF_LAST = 1,      // after them: the usual one
  THREADREF_VERY_LAST = 2  // after the registered destructors
} threadref_phase;

// A handle of a finalizer: a value, copied and dropped freely, on any thread, also after its thread
// is dead. Dropping it cancels nothing. All zero (THREADREF_FINALIZER_INIT): of none, gone.
typedef struct threadref_finalizer {
  uint64_t opaque[4];
} threadref_finalizer;
#define THREADREF_FINALIZER_INIT \
  {                              \
    { 0, 0, 0, 0 }               \
  }

// Has fn(arg) called once, on the calling thread, when that exits, before pthread_join() returns;
// newest first. On the main thread: when it calls pthread_exit(), or when the process ends; see
// threadref_set_atexit(). May be called inside a finalizer: then it runs next, in the same exit.
//
// fn: not null. arg: anything; the library does not look at it. handle: where the handle goes;
// null if none is wanted; all zero after an error. INVALID, NO_MEMORY, NO_RESOURCE, NOT_PERMITTED.
// O(1); after a thread's first no lock, no atomic read-modify-write, no malloc.
threadref_status threadref_finalize(void (*fn)(void*), void* arg,
                                    threadref_finalizer* handle) THREADREF_NOEXCEPT;
// The same for a phase of the exit; INVALID also for a phase that is none of the three.
threadref_status threadref_finalize_in(threadref_phase phase, void (*fn)(void*), void* arg,
                                       threadref_finalizer* handle) THREADREF_NOEXCEPT;

// Calls it now, on the calling thread, if it can still be had: neither taken, nor run, nor pending
// on another thread that already exits. OK: it ran. GONE: it can't be had. THREW: it ran, and what
// it threw went to the unraisable hook. Any thread. O(1) but for the function.
threadref_status threadref_call(threadref_finalizer handle);

// Takes it out, uncalled. OK or GONE; after OK it is not running and never will. Any thread. O(1).
threadref_status threadref_cancel(threadref_finalizer handle) THREADREF_NOEXCEPT;

// Neither running nor gone. Any thread. O(1).
bool threadref_alive(threadref_finalizer handle) THREADREF_NOEXCEPT;

// Is it called when the process ends while its thread still runs, if that is the thread which ends
// it, or main? Yes, unless it was set otherwise; false also once it is running or gone. Setting it
// does nothing then, nor on another thread once its own one exits. Any thread. O(1), one lock.
bool threadref_atexit(threadref_finalizer handle) THREADREF_NOEXCEPT;
void threadref_set_atexit(threadref_finalizer handle, bool wanted) THREADREF_NOEXCEPT;

// Returns when it is gone, whoever ran or took it; what its run wrote is visible then. DEADLOCK at
// once on its own thread while it is pending there, and inside its run. Any thread. A cancellation
// point.
threadref_status threadref_wait(threadref_finalizer handle);

// --------------------------------------------------------------------------------------- refs

// A weak reference to the thread that made it: never keeps it alive. It expires when the thread
// starts to exit, before its first finalizer. Made and dropped; used on any thread. A null pointer
// is an expired one to all functions here.
typedef struct threadref_ref threadref_ref;

// A ref to the calling thread. `*made` is null after an error. INVALID (`made` is null), NO_MEMORY,
// NO_RESOURCE, NOT_PERMITTED. O(1), one malloc.
threadref_status threadref_ref_make(threadref_ref** made) THREADREF_NOEXCEPT;

// The same, and fn(self, arg) is called at the exit of the calling thread, in one newest-first
// order with finalizers, if this ref or a copy still exists then. `self` is expired, and must
// neither be kept nor dropped. INVALID also if fn is null. O(1), two mallocs.
threadref_status threadref_ref_make_with(void (*fn)(const threadref_ref* self, void* arg),
                                         void* arg, threadref_ref** made) THREADREF_NOEXCEPT;

// Another handle of the same ref. Errors: INVALID (`made` is null), NO_MEMORY. O(1), one malloc.
threadref_status threadref_ref_copy(const threadref_ref* of,
                                    threadref_ref** made) THREADREF_NOEXCEPT;

// Frees the handle. With the last one of a ref its callback goes, uncalled; one that has started on
// its thread is not waited for. O(1).
void threadref_ref_drop(threadref_ref* ref) THREADREF_NOEXCEPT;

// Has its thread stopped running? O(1), one load.
bool threadref_ref_expired(const threadref_ref* ref) THREADREF_NOEXCEPT;

// The thread while it runs. False: expired, and `*thread` is as before. `thread` may be null. O(1),
// a few locks.
bool threadref_ref_lock(const threadref_ref* ref, threadref_thread* thread) THREADREF_NOEXCEPT;

// While both threads run: is it the same one? After that: is it the same ref? A null pointer equals
// null only. O(1).
bool threadref_ref_equal(const threadref_ref* a, const threadref_ref* b) THREADREF_NOEXCEPT;

// ---------------------------------------------------------------------------------- exit nodes

// A finalizer in storage of the caller: no memory is needed to attach one. It is not attached while
// it is all zero (THREADREF_EXIT_NODE_INIT, calloc, static). Its storage must stay in place from
// attaching until its function is called, which may free it, or it was detached. Never copy an
// attached one.
typedef struct threadref_exit_node {
  void* opaque[7];
} threadref_exit_node;
#define THREADREF_EXIT_NODE_INIT \
  {                              \
    { 0, 0, 0, 0, 0, 0, 0 }      \
  }

// Has fn(arg) called when the calling thread exits, in one newest-first order with finalizers.
// INVALID (a null node or fn), BUSY, NO_MEMORY, NO_RESOURCE, NOT_PERMITTED. O(1), no malloc.
threadref_status threadref_exit_node_attach(threadref_exit_node* node, void (*fn)(void*),
                                            void* arg) THREADREF_NOEXCEPT;
// The same for an allocator: UNSUPPORTED, before anything has happened, where registering on this
// thread could call malloc (32 or more keys were made before the library's).
threadref_status threadref_exit_node_attach_inside_malloc(threadref_exit_node* node,
                                                          void (*fn)(void*),
                                                          void* arg) THREADREF_NOEXCEPT;
// Takes it out, uncalled. NOT_PERMITTED on another thread than the attaching one; INVALID if it is
// not attached, or was called. O(1), no lock.
threadref_status threadref_exit_node_detach(threadref_exit_node* node) THREADREF_NOEXCEPT;

// ---------------------------------------------------------------- destructors of thread locals

// Has fn(*variable) called when the calling thread exits, after its finalizers (but for VERY_LAST
// ones), oldest first, over all variables mixed. The value is read then, and may be null.
// Registered again: called again. The variable must live until then, or be unregistered. Inside fn,
// too. INVALID (null variable or fn), NO_MEMORY, NO_RESOURCE, NOT_PERMITTED. O(1), no malloc.
threadref_status threadref_register_destructor(void** variable,
                                               void (*fn)(void*)) THREADREF_NOEXCEPT;

// Removes all destructors of the variable that the calling thread registered and that have not had
// their turn, also in the middle of its exit. False: there were none. O(destructors of the thread).
bool threadref_unregister_destructor(void** variable) THREADREF_NOEXCEPT;

// --------------------------------------------------------------------------------- the library

// What happened to registrations so far, over all threads of the default back end.
// registered == the sum of the others + what is pending, when no thread is inside the library.
typedef struct threadref_counters {
  uint64_t registered;
  uint64_t ran_at_exit;
  uint64_t ran_by_call;
  uint64_t detached;  // cancelled or unregistered
  uint64_t dropped;   // ref callbacks whose last handle went first
  uint64_t ran_at_process_exit;
  uint64_t forgotten;  // in the child of a fork: those of the other threads
  uint64_t abandoned;  // cut off by a limit
} threadref_counters;

// Any thread. O(threads that were ever alive at once).
threadref_counters threadref_stats(void) THREADREF_NOEXCEPT;

// Gives memory that dead threads left back to the system. Any thread. O(what they left).
void threadref_trim(void) THREADREF_NOEXCEPT;

// Before dlclose() of the object that holds the address: destroys, uncalled, all finalizers and
// registered destructors whose function or argument points into it, of all threads, and waits for
// those that run. Gives their number. Exit nodes and refs are not found. Not inside one of them,
// nor while holding what a running one waits for. O(registrations of all threads).
size_t threadref_detach_all(const void* address_in_object) THREADREF_NOEXCEPT;

#if defined(__cplusplus)
}
#endif

// NOLINTEND(modernize-use-using, readability-identifier-naming)
