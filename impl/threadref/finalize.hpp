// SPDX-License-Identifier: MIT
// finalize(): a function that is called once, on this thread, when it exits.
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

namespace threadref {

namespace detail {

// optional<R>, or bool where there is no R to hold.
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

// A finalizer that was detached: its function, still to be called if wanted, and its thread.
// Destroying it destroys the function uncalled. Move-only; any thread, one at a time.
template <class R>
class detached {
 public:
  // The thread that the finalizer was registered on.
  [[nodiscard]] const thread_handle& thread() const noexcept { return thread_; }
  // Calls the function the first time, on the calling thread; later gives nothing (false for void).
  // What it throws is passed on.
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

// A handle of a finalizer whose function returns R: 32 bytes, freely copied, used and dropped on
// any thread, at any time, also long after the thread is dead. Dropping it cancels nothing.
//
// Whoever takes the finalizer first has it: the exit of its thread (the referent), a call, detach()
// or cancel(). Once the referent drains its exit list, what is pending is its own: other threads
// get nothing, while a finalizer that runs there may still take a pending sibling. All operations
// are O(1). On the referent they take no lock; elsewhere one, uncontended unless the referent or
// another taker is in the middle of the same.
template <class R, backend B = default_backend>
class finalizer {
 public:
  finalizer() = default;  // gone

  // Runs it now, on the calling thread, if it can still be had. Gives the result, or nothing (true
  // or false for void). What it throws is passed on, and it counts as run.
  typename detail::call_result<R>::type operator()() const {
    if constexpr (std::is_void_v<R>) {
      return B::list::call(at_, nullptr);
    } else {
      std::optional<R> result;
      B::list::call(at_, &result);
      return result;
    }
  }
  // Takes it out of the exit list and hands it over; nothing if it can't be had any more. That does
  // not mean that it has finished: see wait().
  std::optional<detached<R>> detach() const {
    detached<R> taken;
    if (!B::list::detach(at_, taken.closure_, true)) return std::nullopt;
    taken.thread_ = thread_handle::adopt(*at_.on);
    return taken;
  }
  // Takes it out and destroys its function, before it returns. False: it can't be had any more.
  bool cancel() const noexcept { return B::list::cancel(at_); }
  // The referent, while the finalizer can be had; else nothing. Changes nothing.
  [[nodiscard]] std::optional<thread_handle> peek() const noexcept {
    if (!B::list::peek(at_)) return std::nullopt;
    return thread_handle::adopt(*at_.on);
  }
  // Neither running nor gone. True also while it waits for its turn in a drain.
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
  // Does the exit stage run it when the process ends (the default)? False also once it is running
  // or gone. Setting it does nothing then, nor from another thread while the referent drains. One
  // lock.
  [[nodiscard]] bool atexit() const noexcept { return B::list::runs_at_process_exit(at_); }
  void atexit(bool wanted) const noexcept { B::list::set_process_exit(at_, wanted); }
  // Returns when it is gone, whoever ran or took it; what its run wrote is visible then. Throws
  // std::system_error (resource_deadlock_would_occur) on the referent and inside its own run.
  void wait() const {
    if (const std::errc error = B::list::wait(at_); error != std::errc{}) {
      detail::throw_error(error, "threadref: a finalizer would wait for itself");
    }
  }
  // The same registration.
  friend bool operator==(const finalizer&, const finalizer&) = default;

  // For the library.
  explicit finalizer(const detail::registration& at) noexcept : at_(at) {}

 private:
  detail::registration at_;
};

// What try_finalize() gives: an error, or a handle. (std::errc, not std::error_code: making one of
// those calls into the C++ library, 2 ns that every registration would pay.)
template <class R, backend B = default_backend>
struct try_finalize_result {
  std::errc error{};  // std::errc{}: none
  finalizer<R, B> handle;
  explicit operator bool() const noexcept { return error == std::errc{}; }
};

namespace detail {

// What all of the functions below do.
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

// As finalize(), but says in a std::errc what that throws of its own: invalid_argument,
// not_enough_memory, resource_unavailable_try_again, operation_not_permitted (the thread has
// ended). What copying the function and its arguments throws is still passed on.
template <backend B = default_backend, class F, class... A>
[[gnu::always_inline]] inline auto try_finalize(F&& function, A&&... arguments) {
  return detail::try_finalize_at<B>(detail::exit_place::last, std::forward<F>(function),
                                    std::forward<A>(arguments)...);
}
// The same for a phase of the exit.
template <backend B = default_backend, class F, class... A>
auto try_finalize_in(exit_phase phase, F&& function, A&&... arguments) {
  return detail::try_finalize_at<B>(detail::place_of(phase), std::forward<F>(function),
                                    std::forward<A>(arguments)...);
}

// Has function(arguments...) called once, on this thread, when it exits, before pthread_join()
// returns; newest first, in one order with ref callbacks. Function and arguments are decay-copied
// (std::ref for a reference) and destroyed right after the call, on the thread that ran it. What
// the call throws at thread exit goes to the unraisable hook. May be called inside a finalizer:
// then it runs next, in the same exit.
//
// On the main thread it runs when that calls pthread_exit(), or in the exit stage of the process;
// see finalizer::atexit(). Of other threads that still run when the process ends it never runs.
//
// Throws std::invalid_argument for a null function; std::bad_alloc; std::system_error when no key
// or block is left, or (operation_not_permitted) when the thread has ended for this back end. Then
// nothing has changed. O(1); after a thread's first: no lock and no atomic read-modify-write, and
// no allocation for up to 16 bytes of trivially relocated state.
template <backend B = default_backend, class F, class... A>
[[gnu::always_inline]] inline auto finalize(F&& function, A&&... arguments) {
  auto made = try_finalize<B>(std::forward<F>(function), std::forward<A>(arguments)...);
  if (!made) [[unlikely]]
    detail::throw_not_registered(made.error);
  return made.handle;
}
// The same for a phase of the exit; finalize() means exit_phase::last.
template <backend B = default_backend, class F, class... A>
auto finalize_in(exit_phase phase, F&& function, A&&... arguments) {
  auto made = try_finalize_in<B>(phase, std::forward<F>(function), std::forward<A>(arguments)...);
  if (!made) detail::throw_not_registered(made.error);
  return made.handle;
}

}  // namespace threadref
