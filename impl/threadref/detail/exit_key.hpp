// SPDX-License-Identifier: MIT
// A pthread key whose destructor drives an exit list through the rounds of key destructors.
#pragma once

#include <cxxabi.h>
#include <pthread.h>

#include <atomic>
#include <system_error>

#include "threadref/config.hpp"
#include "threadref/detail/block.hpp"

namespace threadref::detail {

// Whether the process can make another key. Boost does not ask: without one it goes on with key 0,
// and has somebody else's destructor called with its own data.
inline bool a_key_is_left() noexcept {
  pthread_key_t probe{};
  if (pthread_key_create(&probe, nullptr) != 0) return false;
  pthread_key_delete(probe);
  return true;
}

// One round of a key's destructor, which has armed itself again before. True: it was the last.
template <class List>
THREADREF_CATCHES_UNWINDING bool run_round(block& b) {
  const bool last = ++b.rounds >= destructor_rounds;
  try {
    List::exit_pass(b, last ? exit_phase::very_last : exit_phase::last);
  } catch (abi::__forced_unwind&) {
    // glibc starts its rounds anew after a pthread_exit in a key destructor; ThreadSanitizer's
    // count goes on, so there the last round stays the last.
    if (!under_tsan) b.rounds = 0;
    throw;
  }
  return last;
}

// One key per back end. For pthread_key and registry it is the hook itself; cxx_thread_local and
// boost_tss arm it as well, so that what registers after their own hook ran still runs in this
// exit, and so that the thread's end is known.
template <class List>
class exit_key {
 public:
  // Creates the key on the first call. Early is better (back ends do it before main): a key with an
  // index of 32 or more makes glibc allocate on first use in a thread. False: no key is left.
  static bool ready() noexcept {
    pthread_once(&once_, &create);
    return key_.load(std::memory_order_acquire) >= 0;
  }
  // Has on_round called at the end of the calling thread.
  static std::errc arm(block& b) noexcept {
    if (!ready()) return std::errc::resource_unavailable_try_again;
    return static_cast<std::errc>(pthread_setspecific(key(), &b));
  }
  // The block that arm() was given on this thread, else null.
  static block* get() noexcept {
    const long k = key_.load(std::memory_order_relaxed);
    return k < 0 ? nullptr
                 : static_cast<block*>(pthread_getspecific(static_cast<pthread_key_t>(k)));
  }
  static void disarm() noexcept { pthread_setspecific(key(), nullptr); }
  // Keys above need memory when a thread first sets them: two levels of 32 in glibc.
  static bool needs_no_memory() noexcept { return ready() && key() < 32; }
  // In the child of a fork. glibc clears the values of a vanished thread only if it believes that
  // there are any, and in the middle of a key destructor it does not: the next thread would get
  // them with its stack (measured). No such value belongs to a key that is made anew.
  static void renew() noexcept {
    if (key_.load(std::memory_order_relaxed) < 0) return;
    block* const mine = get();
    pthread_key_delete(key());
    create();
    if (mine != nullptr && key_.load(std::memory_order_relaxed) >= 0)
      pthread_setspecific(key(), mine);
  }
  // For good: no destructor of it is called any more, on any thread.
  static void remove() noexcept {
    if (ready()) pthread_key_delete(static_cast<pthread_key_t>(key_.exchange(-1)));
  }

 private:
  static void create() noexcept {
    pthread_key_t k{};
    const bool made = pthread_key_create(&k, &on_round) == 0;
    key_.store(made ? static_cast<long>(k) : -1, std::memory_order_release);
  }
  static pthread_key_t key() noexcept {
    return static_cast<pthread_key_t>(key_.load(std::memory_order_relaxed));
  }

  // Called in every round, because it arms itself again first: the value is null while its own
  // destructor runs, and finalizers must find their block; a finalizer may end this pass by
  // pthread_exit, and the rest must run; a key with a higher index may register in a later round.
  static void on_round(void* value) {
    block& b = *static_cast<block*>(value);
    pthread_setspecific(key(), value);  // can't fail: this thread has used the key
    if (!run_round<List>(b)) return;
    disarm();
    List::end(b);
  }

  static inline constinit pthread_once_t once_ = PTHREAD_ONCE_INIT;
  static inline constinit std::atomic<long> key_{-1};
};

}  // namespace threadref::detail
