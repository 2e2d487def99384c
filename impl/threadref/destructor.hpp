// SPDX-License-Identifier: MIT
// Registered destructors of thread_local pointers: the second stage of a thread's exit.
#pragma once

#include <cstdint>
#include <cstring>
#include <system_error>

#include "threadref/backends.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// What happens if the variable holds null at exit: the function is called with null, or skipped
// (and counted in counters::dropped).
enum class null_policy : std::uint8_t { call, skip };

namespace detail {

// The closure in the exit list: 16 bytes, stored in place.
template <null_policy Policy>
struct destructor_call {
  void** variable;
  void (*function)(void*);
  ref_call operator()() const {
    void* const value = *variable;  // read now, not at registration
    if (Policy == null_policy::skip && value == nullptr) return ref_call::skipped;
    function(value);
    return ref_call::ran;
  }
};

}  // namespace detail

// Registers function(*variable) to be called on the calling thread when it exits: after its
// finalizers of the phases early and last, oldest first over all variables. The value is read at
// that moment. A variable that is registered twice is passed to both functions, or twice to one.
//
// The variable must live until then, as a trivially destructible thread_local does, or be
// unregistered before. A finalizer or another such function may register one; it runs in the same
// exit. What the function throws goes to the unraisable hook.
//
// Errors, after which nothing has changed: invalid_argument (null variable or function), and those
// of try_finalize(). O(1). No allocation apart from a slab now and then.
template <backend B = default_backend>
[[nodiscard]] std::error_code register_destructor(
    void** variable, void (*function)(void*), null_policy on_null = null_policy::call) noexcept {
  if (variable == nullptr || function == nullptr)
    return std::make_error_code(std::errc::invalid_argument);
  const auto add = [&](auto entry) {
    return B::list::template add<detail::ref_call, decltype(entry)>(detail::exit_place::destructors,
                                                                    entry);
  };
  const std::errc error =
      on_null == null_policy::call
          ? add(detail::destructor_call<null_policy::call>{variable, function}).error
          : add(detail::destructor_call<null_policy::skip>{variable, function}).error;
  return error == std::errc{} ? std::error_code{} : std::make_error_code(error);
}

// Removes all destructors of the variable that the calling thread registered and that have not run
// yet; may be called in the middle of its exit. Returns whether there were any. Takes the thread's
// lock. O(destructors of the thread).
template <backend B = default_backend>
bool unregister_destructor(void** variable) noexcept {
  return B::list::remove_destructors([variable](const void* closure) {
    detail::destructor_call<null_policy::call> entry{};  // both policies have this layout
    std::memcpy(&entry, closure, sizeof entry);
    return entry.variable == variable;
  });
}

}  // namespace threadref::inline THREADREF_ABI
