// SPDX-License-Identifier: MIT
// The C interface: finalizers, weak references and registered destructors for threads, on the
// default back end. For C11 and C++. What runs when, and in which order, is the same as through the
// C++ interface; both may be used on the same thread.
//
// No C++ exception leaves these functions. What a callback throws at thread exit goes to the
// unraisable hook, by default one line on standard error; for threadref_call() see there.
// pthread_exit() and cancellation do unwind through threadref_call() and threadref_wait().
//
// Every status that a function can return is named at the function, without its prefix THREADREF_.
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

// Each is an error number of <errno.h>. After an error nothing has changed, except after THREW.
typedef enum threadref_status {
  THREADREF_OK = 0,
  THREADREF_INVALID = EINVAL,  // a forbidden null argument, a bad phase, or a node not attached
  THREADREF_NO_MEMORY = ENOMEM,
  THREADREF_NO_RESOURCE = EAGAIN,      // no pthread key is left, or 2^20 threads are alive
  THREADREF_NOT_PERMITTED = EPERM,     // the thread has ended, or the exit node is another thread's
  THREADREF_BUSY = EBUSY,              // the exit node is already attached
  THREADREF_UNSUPPORTED = EOPNOTSUPP,  // for callers inside malloc: registering could call malloc;
                                       // and to all that register, in a copy of the library that
                                       // dlmopen() loaded into a namespace of its own
  THREADREF_DEADLOCK = EDEADLK,        // the thread would wait for itself
  THREADREF_GONE = ESRCH,              // the finalizer is unavailable to the caller
  THREADREF_THREW = ECANCELED          // the function ran and ended with a C++ exception
} threadref_status;

// Returns one sentence in English for any number; "unknown status" for one that is not listed
// above. Never null; static storage. Any thread. O(1).
const char* threadref_strerror(int status) THREADREF_NOEXCEPT;

// ------------------------------------------------------------------------------------ threads

typedef enum threadref_thread_state {
  THREADREF_RUNNING = 0,   // its finalizers are pending
  THREADREF_DRAINING = 1,  // its finalizers have started to run; its refs are expired
  THREADREF_ENDED = 2      // no finalizer will run on it any more
} threadref_thread_state;

// What was known of a thread at the time of the call. A plain copy, which keeps nothing alive.
typedef struct threadref_thread {
  uint64_t serial;  // a number that no other thread ever gets; never 0
  pid_t tid;        // the kernel's id; another thread may get it once this one has ended
  char name[16];    // null-terminated; empty if the thread had no name
  bool is_main;
  threadref_thread_state state;
} threadref_thread;

// Stores what is known of the calling thread in `*thread`, registering the thread if it was not.
// INVALID (`thread` is null), NO_MEMORY, NO_RESOURCE, NOT_PERMITTED (the thread has ended). O(1); a
// few uncontended locks, and a system call to read its name.
threadref_status threadref_current(threadref_thread* thread) THREADREF_NOEXCEPT;

// Registers the calling thread if it was not. False if it can't be registered or has ended. One
// thread-local load on a registered thread.
bool threadref_ensure(void) THREADREF_NOEXCEPT;

// Stores what is known of the registered threads that are running or draining in `threads`, at most
// `capacity` of them, and their full number in `*count`. `threads` may be null if `capacity` is 0.
// INVALID (another null), NO_MEMORY. Any thread. O(peak number of live threads), with a few locks
// for each, and system calls to read its name.
threadref_status threadref_enumerate(threadref_thread* threads, size_t capacity,
                                     size_t* count) THREADREF_NOEXCEPT;

// --------------------------------------------------------------------------------- finalizers

// When a function is called within the exit of its thread.
typedef enum threadref_phase {
  THREADREF_EARLY = 0,     // among the C++ thread_locals
  THREADREF_LAST = 1,      // after them; what threadref_finalize() uses
  THREADREF_VERY_LAST = 2  // after the registered destructors
} threadref_phase;

// A handle to a finalizer. A plain value: copy and drop it freely, on any thread, also after the
// finalizer's thread is dead. Dropping it cancels nothing. All zero (THREADREF_FINALIZER_INIT)
// refers to no finalizer and counts as gone.
typedef struct threadref_finalizer {
  uint64_t opaque[4];
} threadref_finalizer;
#define THREADREF_FINALIZER_INIT \
  {                              \
    { 0, 0, 0, 0 }               \
  }

// Registers fn(arg) to be called once, on the calling thread, when that thread exits and before
// pthread_join() returns; newest first. On the main thread it is called when main calls
// pthread_exit(), or when the process ends: see threadref_set_atexit(). A finalizer may register
// another, which then runs next, in the same exit.
//
// `fn` must not be null. `arg` is passed on; the library does not dereference it. `handle` receives
// the handle, all zero after an error; it may be null.
//
// INVALID, NO_MEMORY, NO_RESOURCE, NOT_PERMITTED. O(1). After a thread's first: no lock, no atomic
// read-modify-write (one with the C++ option global_order), no malloc.
threadref_status threadref_finalize(void (*fn)(void*), void* arg,
                                    threadref_finalizer* handle) THREADREF_NOEXCEPT;
// As threadref_finalize(), for any phase of the exit. INVALID also for any other value of `phase`.
// If the function touches a thread_local that has a destructor, use EARLY. That costs what
// constructing a C++ thread_local does; it ends the process if the C library has no memory for it.
threadref_status threadref_finalize_in(threadref_phase phase, void (*fn)(void*), void* arg,
                                       threadref_finalizer* handle) THREADREF_NOEXCEPT;

// Calls the function now, on the calling thread, unless the finalizer is unavailable: running,
// gone, or pending on another thread that is already exiting. OK: it ran. GONE: it is unavailable.
// THREW: it ran, and what it threw went to the unraisable hook, on the calling thread. Any thread.
// O(1) apart from the function.
threadref_status threadref_call(threadref_finalizer handle);

// Removes the finalizer, uncalled. After OK it is not running and never will. GONE if it is
// unavailable: it may still be running. Any thread. O(1).
threadref_status threadref_cancel(threadref_finalizer handle) THREADREF_NOEXCEPT;

// True if the finalizer is neither running nor gone, so also while it waits for its turn in its
// thread's exit. Any thread. O(1).
bool threadref_alive(threadref_finalizer handle) THREADREF_NOEXCEPT;

// Whether the finalizer is called when the process ends while its thread still exists, if that
// thread ends the process or is a main thread that has called pthread_exit(). True by default;
// false also once the finalizer is running or gone. Setting the flag has no effect then, nor from
// another thread once the finalizer's own thread is exiting. Any thread. O(1), one lock.
bool threadref_atexit(threadref_finalizer handle) THREADREF_NOEXCEPT;
void threadref_set_atexit(threadref_finalizer handle, bool wanted) THREADREF_NOEXCEPT;

// Blocks until the finalizer is gone, whether it ran or was removed; what its run wrote is then
// visible. Nothing else ends the wait: its thread may run for ever. Returns OK, or DEADLOCK at once
// if it is not gone and the caller is its own thread or inside its run. Any thread. A cancellation
// point.
threadref_status threadref_wait(threadref_finalizer handle);

// --------------------------------------------------------------------------------------- refs

// A weak reference to the thread that made it; it never keeps the thread alive. It expires when the
// thread starts to run its finalizers, before the first one. Any thread may use or drop it. Each
// handle must be dropped once. All functions here take a null pointer for an expired ref.
typedef struct threadref_ref threadref_ref;

// Stores a new ref to the calling thread in `*made`; null after an error. The thread is registered
// if it was not. INVALID (`made` is null), NO_MEMORY, NO_RESOURCE, NOT_PERMITTED. O(1), one malloc.
threadref_status threadref_ref_make(threadref_ref** made) THREADREF_NOEXCEPT;

// As threadref_ref_make(); and fn(self, arg) is called when the calling thread exits, on that
// thread, in one newest-first order with finalizers, if this ref or a copy still exists then.
// `self` is expired, and must be neither stored nor dropped. INVALID also if `fn` is null. O(1),
// two mallocs.
threadref_status threadref_ref_make_with(void (*fn)(const threadref_ref* self, void* arg),
                                         void* arg, threadref_ref** made) THREADREF_NOEXCEPT;

// Stores another handle to the same ref in `*made`; null after an error, and if `of` is null.
// INVALID (`made` is null), NO_MEMORY. Any thread. O(1), one malloc.
threadref_status threadref_ref_copy(const threadref_ref* of,
                                    threadref_ref** made) THREADREF_NOEXCEPT;

// Frees the handle; null does nothing. Dropping the last handle of a ref removes its callback,
// uncalled. It does not wait for a callback that is running on its thread. Any thread. O(1).
void threadref_ref_drop(threadref_ref* ref) THREADREF_NOEXCEPT;

// True once the ref's thread has started to run its finalizers, or has ended without that. Any
// thread. O(1), two loads.
bool threadref_ref_expired(const threadref_ref* ref) THREADREF_NOEXCEPT;

// If the ref's thread is running, stores what is known of it in `*thread` and returns true. False
// if the ref is expired; `*thread` is then unchanged. Any thread. O(1), a few locks, and system
// calls to read its name. `thread` may be null; then no name is read.
bool threadref_ref_lock(const threadref_ref* ref, threadref_thread* thread) THREADREF_NOEXCEPT;

// While the threads run: whether both are refs to the same thread. Afterwards: whether both are the
// same ref. A null pointer equals only null. Any thread. O(1).
bool threadref_ref_equal(const threadref_ref* a, const threadref_ref* b) THREADREF_NOEXCEPT;

// ---------------------------------------------------------------------------------- exit nodes

// An intrusive finalizer, in storage that the caller provides: attaching one needs no memory. A
// node of zeros (THREADREF_EXIT_NODE_INIT, calloc, static) is not attached. The node must stay in
// place from attaching until its function is called, which may free it, or until it is detached.
// Never copy an attached node.
typedef struct threadref_exit_node {
  void* opaque[8];
} threadref_exit_node;
#define THREADREF_EXIT_NODE_INIT \
  {                              \
    { 0, 0, 0, 0, 0, 0, 0, 0 }   \
  }

// Registers fn(arg) to be called when the calling thread exits, on that thread, in one newest-first
// order with finalizers. INVALID (`node` or `fn` is null), BUSY, NO_MEMORY, NO_RESOURCE,
// NOT_PERMITTED. O(1), no malloc once the thread is registered.
threadref_status threadref_exit_node_attach(threadref_exit_node* node, void (*fn)(void*),
                                            void* arg) THREADREF_NOEXCEPT;
// As threadref_exit_node_attach(), for allocators. If registering on this thread could call malloc
// (because 32 or more keys were created before the library's), returns UNSUPPORTED and does
// nothing.
threadref_status threadref_exit_node_attach_inside_malloc(threadref_exit_node* node,
                                                          void (*fn)(void*),
                                                          void* arg) THREADREF_NOEXCEPT;
// Removes the node, uncalled. NOT_PERMITTED if the caller is not the attaching thread; INVALID if
// the node is null or not attached, which includes a node whose function has been called. O(1), no
// lock.
threadref_status threadref_exit_node_detach(threadref_exit_node* node) THREADREF_NOEXCEPT;

// ---------------------------------------------------------------- destructors of thread locals

// Registers fn(*variable) to be called when the calling thread exits, on that thread: after its
// finalizers but before those of the phase VERY_LAST, oldest first over all variables. The value is
// read at that moment and may be null. Each registration is one call. The variable must live until
// then, or be unregistered before. `fn` may register others. INVALID (`variable` or `fn` is null),
// NO_MEMORY, NO_RESOURCE, NOT_PERMITTED. O(1), no malloc once the thread is registered.
threadref_status threadref_register_destructor(void** variable,
                                               void (*fn)(void*)) THREADREF_NOEXCEPT;

// Removes all destructors of the variable that the calling thread registered and that have not run
// yet; may be called in the middle of its exit. Returns whether there were any. O(destructors of
// the thread).
bool threadref_unregister_destructor(void** variable) THREADREF_NOEXCEPT;

// --------------------------------------------------------------------------------- the library

// What has happened to registrations so far, over all threads of the default back end. While no
// thread is inside the library: registered == the sum of the others + what is pending.
typedef struct threadref_counters {
  uint64_t registered;
  uint64_t ran_at_exit;
  uint64_t ran_by_call;
  uint64_t detached;  // cancelled or unregistered
  uint64_t dropped;   // ref callbacks whose last handle was dropped first
  uint64_t ran_at_process_exit;
  uint64_t forgotten;  // in the child of a fork: those of the other threads
  uint64_t abandoned;  // cut off by a limit, or their thread went without its exit hook having run
} threadref_counters;

// Any thread. No lock. O(peak number of live threads).
threadref_counters threadref_stats(void) THREADREF_NOEXCEPT;

// Returns memory that dead threads left for later ones to the system, in mappings of 1 MiB. Any
// thread. O(what they left).
void threadref_trim(void) THREADREF_NOEXCEPT;

// Call this from another object before dlclose() of the object in which the address lies; else that
// stays loaded, if its code includes this header. Destroys, uncalled, the finalizers and registered
// destructors of all threads whose function or argument points into the object, detaches such exit
// nodes of the calling thread, and waits for what is running. Returns the number destroyed. Does
// not find exit nodes of other threads, and refs. Must not be called inside one of those
// finalizers, nor while holding anything that a running one waits for: it would deadlock.
// O(registrations of all threads), plus the wait.
size_t threadref_detach_all(const void* address_in_object) THREADREF_NOEXCEPT;

// Keeps the shared object in which the address lies loaded after dlclose(), until
// threadref_detach_all(): threads call its functions when they end. Any thread. Takes the loader's
// lock. Code of a shared object that includes this header calls it as the object is loaded, unless
// it is compiled with THREADREF_NO_PIN.
void threadref_keep_loaded(const void* address_in_object) THREADREF_NOEXCEPT;
#if defined(__PIC__) && !defined(__PIE__) && !defined(THREADREF_NO_PIN)
static const char threadref_in_this_object = 0;
static void __attribute__((constructor)) threadref_keep_this_object(void) {
  threadref_keep_loaded(&threadref_in_this_object);
}
#endif

#if defined(__cplusplus)
}
#endif

// NOLINTEND(modernize-use-using, readability-identifier-naming)
