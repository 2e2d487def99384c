// SPDX-License-Identifier: MIT
// finalize(): registers a function to be called once, on the calling thread, when it exits.
#pragma once

#include <concepts>
#include <new>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

#include "threadref/backends.hpp"
#include "threadref/detail/closure.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/detail/throw_error.hpp"
#include "threadref/phase.hpp"
#include "threadref/thread_info.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

namespace detail {

// optional<R>, or bool where R is void.
template <class R>
struct call_result {
  using type = std::optional<R>;
};
template <>
struct call_result<void> {
  using type = bool;
};

template <class T>
bool is_null(const T& callable) noexcept {
  if constexpr (std::is_pointer_v<T> || std::is_member_pointer_v<T>) {
    return callable == nullptr;
  } else if constexpr (std::is_constructible_v<T, std::nullptr_t> &&
                       requires { callable == nullptr; }) {
    return callable == nullptr;  // std::function and the like
  } else {
    return false;
  }
}

}  // namespace detail

// A detached finalizer: its function, which may still be called, and the thread it belonged to.
// Destroying it destroys the function, uncalled if it was not called. Move-only. May be used on any
// thread, by one thread at a time.
template <class R>
class detached {
 public:
  // The thread on which the finalizer was registered.
  [[nodiscard]] const thread_handle& thread() const noexcept { return thread_; }
  // The first time, calls the function on the calling thread and returns its result (true if R is
  // void). After that, returns nullopt (false). Exceptions propagate, and count as the one call.
  typename detail::call_result<R>::type operator()() {
    if constexpr (std::is_void_v<R>) {
      return closure_.run(nullptr);
    } else {
      std::optional<R> result;
      closure_.run(&result);
      return result;
    }
  }

 private:
  template <class, backend>
  friend class finalizer;
  detached() = default;
  thread_handle thread_;
  detail::detached_closure closure_;
};

enum class finalizer_state : std::uint8_t { armed, running, gone };

// A handle to a finalizer whose function returns R. 32 bytes, trivially copyable. Copies may be
// used and dropped on any thread at any time, also long after the finalizer's thread (the referent)
// is dead. Dropping a handle cancels nothing.
//
// Exactly one of these claims the finalizer: the exit of the referent, a call, detach(), cancel().
// The first wins; the others find it unavailable. Once the referent drains its exit list, its
// pending finalizers are unavailable to other threads, while a finalizer that runs on the referent
// may still claim a pending sibling.
//
// All operations are O(1) apart from user code. On the referent, a call, cancel(), alive() and
// state() take no lock, except to wake waiters. Everything else takes the referent's lock, which is
// uncontended unless another operation on the same thread's finalizers is in progress. (With the
// back end registry_bulk, every claim takes it.) No lock is held while user code runs.
template <class R, backend B = default_backend>
class finalizer {
 public:
  finalizer() = default;  // refers to no finalizer: state() is gone

  // Claims the finalizer and calls its function now, on the calling thread. Returns the result, or
  // nullopt if the finalizer is unavailable (true or false if R is void). Exceptions propagate; the
  // finalizer then counts as run. The referent's exit does not wait for the call to finish.
  typename detail::call_result<R>::type operator()() const {
    if constexpr (std::is_void_v<R>) {
      return B::list::call(at_, nullptr);
    } else {
      std::optional<R> result;
      B::list::call(at_, &result);
      return result;
    }
  }
  // Removes the finalizer from the exit list and returns it. nullopt means that it is unavailable,
  // not that it has run: it may be running, or waiting for its turn in a drain. See wait().
  std::optional<detached<R>> detach() const {
    detached<R> removed;
    if (!B::list::detach(at_, removed.closure_)) return std::nullopt;
    removed.thread_ = thread_handle::adopt(*at_.on);
    return removed;
  }
  // Removes the finalizer and destroys its function on the calling thread before returning. False
  // if it is unavailable. A destructor that throws here ends the program.
  bool cancel() const noexcept { return B::list::cancel(at_); }
  // The referent if the calling thread could claim the finalizer now, else nullopt. Changes
  // nothing. The first handle to a thread reads its name (a system call).
  [[nodiscard]] std::optional<thread_handle> peek() const noexcept {
    if (!B::list::peek(at_)) return std::nullopt;
    return thread_handle::adopt(*at_.on);
  }
  // True if it is neither running nor gone, so also while it waits for its turn in a drain.
  [[nodiscard]] bool alive() const noexcept { return state() == finalizer_state::armed; }
  [[nodiscard]] finalizer_state state() const noexcept {
    switch (B::list::state(at_)) {
      case detail::node::armed:
        return finalizer_state::armed;
      case detail::node::running:
        return finalizer_state::running;
      default:
        return finalizer_state::gone;
    }
  }
  // Whether the exit stage runs it if the process ends first: true by default, false once it is
  // running or gone. Setting the flag has no effect then, nor from another thread while the
  // referent drains. (In the phase early, the end of the process asks for it on main only: to
  // another thread that calls exit(), that looks like the thread's end.)
  [[nodiscard]] bool atexit() const noexcept { return B::list::runs_at_process_exit(at_); }
  void atexit(bool wanted) const noexcept { B::list::set_process_exit(at_, wanted); }
  // Blocks until the finalizer is gone, whether it ran or was removed; what its run wrote is then
  // visible. Nothing else ends the wait: the referent may run for ever. A cancellation point.
  // Throws std::system_error (resource_deadlock_would_occur) at once if it is not gone and the
  // caller is the referent or inside the finalizer's own run.
  void wait() const {
    if (const std::errc error = B::list::wait(at_); error != std::errc{}) {
      detail::throw_error(error,
                          "threadref: wait() would deadlock: the finalizer belongs to this thread "
                          "or is running on it");
    }
  }
  // True for handles to the same registration, and for two empty handles.
  friend bool operator==(const finalizer&, const finalizer&) = default;

  // For the library.
  explicit finalizer(const detail::registration& at) noexcept : at_(at) {}

 private:
  detail::registration at_;
};

// The result of try_finalize(): an error or a handle. (std::errc and not std::error_code, because
// making an error_code calls into the C++ library: 2 ns on every registration.)
template <class R, backend B = default_backend>
struct try_finalize_result {
  std::errc error{};  // std::errc{} if it succeeded
  finalizer<R, B> handle;
  explicit operator bool() const noexcept { return error == std::errc{}; }
};

namespace detail {

// What the functions below have in common.
template <class B, class F, class... A>
[[gnu::always_inline]] inline auto try_finalize_at(exit_place place, F&& function,
                                                   A&&... arguments) {
  using stored_function = std::decay_t<F>;
  using result = std::invoke_result_t<stored_function, std::decay_t<A>...>;
  static_assert(std::is_void_v<result> || std::is_object_v<result>,
                "a finalizer returns nothing or an object: a reference could outlive its thread");
  try_finalize_result<result, B> made;
  if (is_null(function)) {
    made.error = std::errc::invalid_argument;
    return made;
  }
  const auto take = [&made](const added& in) {
    made.error = in.error;
    made.handle = finalizer<result, B>(in.at);
  };
  try {
    if constexpr (sizeof...(A) == 0) {
      take(B::list::template add<result, stored_function>(place, std::forward<F>(function)));
    } else {
      using stored = bound<stored_function, std::decay_t<A>...>;
      take(B::list::template add<result, stored>(place, std::in_place, std::forward<F>(function),
                                                 std::forward<A>(arguments)...));
    }
  } catch (const std::bad_alloc&) {
    made.error = std::errc::not_enough_memory;
  }
  return made;
}

}  // namespace detail

// As finalize(), but returns errors as a std::errc: invalid_argument, not_enough_memory,
// resource_unavailable_try_again, operation_not_permitted, operation_not_supported. What copying
// the function and its arguments throws still propagates, except std::bad_alloc, which is
// not_enough_memory.
template <backend B = default_backend, class F, class... A>
[[gnu::always_inline]] inline auto try_finalize(F&& function, A&&... arguments) {
  return detail::try_finalize_at<B>(detail::exit_place::last, std::forward<F>(function),
                                    std::forward<A>(arguments)...);
}
// As try_finalize(), for any phase of the exit. If the callback touches a thread_local that has a
// destructor, use exit_phase::early.
template <backend B = default_backend, class F, class... A>
auto try_finalize_in(exit_phase phase, F&& function, A&&... arguments) {
  return detail::try_finalize_at<B>(detail::place_of(phase), std::forward<F>(function),
                                    std::forward<A>(arguments)...);
}

// Registers function(arguments...) to be called once, on the calling thread, when that thread exits
// and before pthread_join() returns. Finalizers and ref callbacks share one order, newest first. A
// finalizer may register another, which then runs next, in the same exit.
//
// It runs after the thread's thread_locals are destroyed, on most back ends. If the callback
// touches a thread_local that has a destructor, use exit_phase::early, with finalize_in().
//
// The function and its arguments are decay-copied (use std::ref for a reference) and destroyed
// right after the call, on the thread that made it. The function must return void or an object.
// What it throws at thread exit goes to the unraisable hook.
//
// On the main thread the finalizer runs when main calls pthread_exit(), or in the exit stage of the
// process, after main's thread_locals and before statics are destroyed: see finalizer::atexit(). On
// a thread that still runs when the process ends, it does not
// run, unless that thread ends the process or options::adopt is set.
//
// Throws std::invalid_argument for a null function; std::bad_alloc; what copying throws; and
// std::system_error: resource_unavailable_try_again if no key or block is left,
// operation_not_permitted if the thread has ended for this back end, operation_not_supported in a
// copy of the library that dlmopen() loaded into a namespace of its own. Then nothing has changed.
//
// O(1). After a thread's first: no lock, no atomic read-modify-write (one with
// options::global_order), and no malloc for up to 16 bytes of state, aligned to at most a pointer,
// whose move does not throw. A slab is mapped every few dozen to few thousand registrations.
template <backend B = default_backend, class F, class... A>
[[gnu::always_inline]] inline auto finalize(F&& function, A&&... arguments) {
  auto made = try_finalize<B>(std::forward<F>(function), std::forward<A>(arguments)...);
  if (!made) [[unlikely]]
    detail::throw_not_registered(made.error);
  return made.handle;
}
// As finalize(), for any phase of the exit; finalize() uses exit_phase::last. If the callback
// touches a thread_local that has a destructor, use exit_phase::early, whose costs its comment
// names.
template <backend B = default_backend, class F, class... A>
auto finalize_in(exit_phase phase, F&& function, A&&... arguments) {
  auto made = try_finalize_in<B>(phase, std::forward<F>(function), std::forward<A>(arguments)...);
  if (!made) detail::throw_not_registered(made.error);
  return made.handle;
}

}  // namespace threadref::inline THREADREF_ABI
