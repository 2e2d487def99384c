// SPDX-License-Identifier: MIT
// A pthread key whose destructor runs an exit list in each round of key destructors.
#pragma once

#include <cxxabi.h>
#include <pthread.h>

#include <atomic>
#include <system_error>

#include "threadref/config.hpp"
#include "threadref/detail/block.hpp"
#include "threadref/detail/process.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI::detail {

// Whether the library may create another key. Boost does not check: without one it goes on with key
// 0, and another owner's destructor is called with Boost's data.
inline bool a_key_is_left() noexcept {
  if (is_in_other_namespace()) return false;
  pthread_key_t probe{};
  if (pthread_key_create(&probe, nullptr) != 0) return false;
  pthread_key_delete(probe);
  return true;
}

// Runs one round of a key's destructor, which has armed itself again before. True if it was the
// last.
template <class List>
THREADREF_CATCHES_UNWINDING bool run_round(block& b) {
  const bool last = ++b.rounds >= destructor_rounds;
  b.early_is_over = true;
  try {
    List::exit_pass(b, last ? exit_phase::very_last : exit_phase::last);
  } catch (abi::__forced_unwind&) {
    // glibc starts its rounds anew after a pthread_exit in a key destructor. ThreadSanitizer's
    // count goes on, so there the last round stays the last.
    if (!under_tsan) b.rounds = 0;
    throw;
  }
  return last;
}

// The key of a back end in this process. A member of its exit list, which only the library defines:
// if headers defined it, each object with a copy of the library would have to share it, since g++
// makes such variables unique in the process.
struct process_key {
  pthread_once_t once = PTHREAD_ONCE_INIT;
  std::atomic<long> index{-1};
};

// The functions of that key. For pthread_key and registry it is the hook itself. Others arm it as
// well, so that what is registered after their own hook has run still runs in this exit, and so
// that they are notified of the thread's end.
template <class List>
class exit_key {
 public:
  // Creates the key on the first call; false if no key is left. Back ends call it before main,
  // because glibc allocates when a thread first uses a key with an index of 32 or more.
  static bool ready() noexcept {
    pthread_once(&List::key.once, &create);
    return List::key.index.load(std::memory_order_acquire) >= 0;
  }
  // Arranges for on_round to be called when the calling thread ends.
  static std::errc arm(block& b) noexcept {
    if (!ready()) return std::errc::resource_unavailable_try_again;
    return static_cast<std::errc>(pthread_setspecific(key(), &b));
  }
  // The block that was passed to arm() on this thread, else null. (Not what an earlier thread on
  // this stack may have left: see exit_list::owns().)
  static block* get() noexcept {
    const long k = List::key.index.load(std::memory_order_relaxed);
    if (k < 0) return nullptr;
    void* const value = pthread_getspecific(static_cast<pthread_key_t>(k));
    return value == List::own() ? List::own() : nullptr;
  }
  static void disarm() noexcept { pthread_setspecific(key(), nullptr); }
  // glibc stores values in two levels of 32; only those of keys below 32 need no memory.
  static bool needs_no_memory() noexcept { return ready() && key() < 32; }
  // Called in the child of a fork: replaces the key by a new one. glibc clears the values of a
  // vanished thread only if it believes that there are any, and in the middle of a key destructor
  // it does not. A later thread would inherit them with its stack (measured). A new key has no such
  // values.
  static void renew() noexcept {
    if (List::key.index.load(std::memory_order_relaxed) < 0) return;
    block* const mine = get();
    pthread_key_delete(key());
    create();
    if (mine != nullptr && List::key.index.load(std::memory_order_relaxed) >= 0)
      pthread_setspecific(key(), mine);
  }
  // Deletes the key for good: its destructor is not called any more on any thread.
  static void remove() noexcept {
    if (ready()) pthread_key_delete(static_cast<pthread_key_t>(List::key.index.exchange(-1)));
  }

 private:
  static void create() noexcept {
    pthread_key_t k{};
    const bool made = !is_in_other_namespace() && pthread_key_create(&k, &on_round) == 0;
    List::key.index.store(made ? static_cast<long>(k) : -1, std::memory_order_release);
  }
  static pthread_key_t key() noexcept {
    return static_cast<pthread_key_t>(List::key.index.load(std::memory_order_relaxed));
  }

  // Arms itself again first, so it is called in every round. The reasons: the value is null while
  // its destructor runs, and finalizers must find their block; a finalizer may end this pass by
  // pthread_exit, and the rest must run; a key with a higher index may register in a later round.
  static void on_round(void* value) {
    block& b = *static_cast<block*>(value);
    if (!List::owns(b)) return;
    pthread_setspecific(key(), value);  // can't fail: this thread has used the key
    if (!run_round<List>(b)) return;
    disarm();
    List::end(b);
  }
};

}  // namespace threadref::inline THREADREF_ABI::detail
