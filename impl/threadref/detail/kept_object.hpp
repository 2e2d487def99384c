// SPDX-License-Identifier: MIT
// Keeps shared objects loaded whose code registers.
#pragma once

#include "threadref/config.hpp"
#include "threadref/detail/process.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI::detail {

// A shared object whose code registers has one of these, and constructs it as it is loaded. Not at
// its first registration: a thread may register while another one is in dlopen() or dlclose(),
// holds the loader's lock and waits for it. Nor does a registration look whether it is the first:
// that would cost each a load and a branch.
struct kept_object {
  kept_object() noexcept { keep_object(this); }
};
template <class = void>
[[gnu::visibility("hidden")]] inline kept_object of_this_object{};

// Called by every function that registers, to make its object have one. Costs nothing at run time.
// A template, so that a file which only includes this does not have one.
template <class = void>
void require_kept_object() noexcept {
#if THREADREF_IN_SHARED_OBJECT && THREADREF_PINS_ITSELF
  static_cast<void>(&of_this_object<>);
#endif
}

template <class = void>
[[gnu::visibility("hidden")]] inline constexpr char in_this_object = 0;
// An address in the shared object that holds the calling code; null in a program.
[[gnu::always_inline]] inline const void* this_code() noexcept {
#if THREADREF_IN_SHARED_OBJECT
  return &in_this_object<>;
#else
  return nullptr;
#endif
}

}  // namespace threadref::inline THREADREF_ABI::detail
