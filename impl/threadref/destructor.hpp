// SPDX-License-Identifier: MIT
// Registered destructors: for a thread_local void*, the second stage of a thread's exit.
#pragma once

#include <cstdint>
#include <cstring>
#include <system_error>

#include "threadref/backends.hpp"
#include "threadref/detail/exit_list.hpp"

namespace threadref {

// What to do when the variable holds null at exit: call the function with null, or skip it.
enum class null_policy : std::uint8_t { call, skip };

namespace detail {

// What stands in the exit list: 16 bytes, in place.
template <null_policy Policy>
struct destructor_call {
  void** variable;
  void (*function)(void*);
  ref_call operator()() const {
    void* const value = *variable;  // now, and not when it was registered
    if (Policy == null_policy::skip && value == nullptr) return ref_call::skipped;
    function(value);
    return ref_call::ran;
  }
};

}  // namespace detail

// Has function(*variable) called when the calling thread exits, after its finalizers of the phases
// early and last, oldest first; the value is read then. Registered again: called again. The
// variable must live until then, as a trivially destructible thread_local does; or be unregistered.
// May be called inside a finalizer or such a function: then it runs in the same exit.
//
// invalid_argument: null variable or function; else the errors of try_finalize(). Then nothing has
// changed. What the function throws goes to the unraisable hook. O(1); no allocation but a slab now
// and then.
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

// Removes all destructors of the variable that the calling thread registered and that have not had
// their turn, also in the middle of its exit. False: there were none. O(destructors of the thread).
template <backend B = default_backend>
bool unregister_destructor(void** variable) noexcept {
  return B::list::remove_destructors([variable](const void* closure) {
    detail::destructor_call<null_policy::call> entry{};  // both policies have this shape
    std::memcpy(&entry, closure, sizeof entry);
    return entry.variable == variable;
  });
}

}  // namespace threadref
