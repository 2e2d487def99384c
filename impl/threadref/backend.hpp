// SPDX-License-Identifier: MIT
// What a back end is: one way for a thread to be notified of its own exit.
#pragma once

#include <concepts>
#include <span>
#include <string_view>
#include <system_error>

#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

namespace detail {
struct block;
}

// What a back end may guarantee beyond the contract. A guarantee is tested. A cell that needs one
// that the back end does not give is "n/a", with that reason.
enum class capability : unsigned {
  none = 0,
  after_thread_locals =
      1,  // on threads of std::thread and pthread_create, all thread_locals are destroyed first
  among_thread_locals = 2,  // younger thread_locals die before the finalizers, older ones after
  interleaved = 8,    // each finalizer has its own place among them, by the time it was registered
  inside_malloc = 4,  // an allocator may register: see can_register_inside_malloc()
};
constexpr capability operator|(capability a, capability b) {
  return static_cast<capability>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool has(capability set, capability wanted) {
  return (static_cast<unsigned>(set) & static_cast<unsigned>(wanted)) ==
         static_cast<unsigned>(wanted);
}

// A declared departure from the contract: the scenario of stress_threadref or the check of the
// conformance suite that shows it, the outcome, and the reason. A deviation that does not occur is
// a failure too, so the list stays honest.
struct deviation {
  std::string_view where;    // a scenario's name, or the start of a check's name: "c064_a_long"
  std::string_view outcome;  // what happens instead
  std::string_view why;
};

struct backend_info {
  std::string_view name;     // also the folder, the type, the CLI name, the test name, the JSON key
  std::string_view summary;  // the mechanism, in one line
  capability capabilities = capability::none;
  std::span<const deviation> deviations{};
  // Facts of the mechanism, which are no promises. The tests that leave it without keys or memory,
  // or unload it, expect what these and the capabilities imply.
  bool needs_key = true;        // registering is refused if the process has no pthread key left
  bool foreign_record = false;  // another library stores data for each thread that registers
};

// A back end of the table that is not in this build, and why.
struct absent_backend {
  std::string_view name;
  std::string_view why;
};

// A hook back end says how a thread's block is found and how the thread learns of its exit.
// Everything else (list, order, claims, removal, weak references) is detail::exit_list, which all
// hook back ends share. So their measured costs differ by exactly these functions, which are called
// on the thread in question:
//
//   find()    Returns this thread's block; null if it was never registered or has ended.
//   arm(b)    Arranges for B::list::exit_pass(b, exit_phase::last) to be called when this thread
//             exits. Called once in a thread's life. Returns std::errc{}, or an error, and then
//             nothing is armed. (Not an error_code: making one calls into the C++ library, on the
//             path of every registration.)
//   forget()  The thread has ended for this back end: find() returns null on it from now on.
//
// It may have two more, if the system stores anything for it besides the key of exit_key:
//
//   renew()     Called in the child of a fork, on its only thread. What the system stored for a
//               vanished thread may turn up on a new one, which must not take it for its own.
//   withdraw()  The object that holds the back end is about to be unloaded. No thread may enter it
//               any more: makes the system forget it, or keeps the object loaded.
//
// A direct back end also registers each finalizer with the system, so that the system's own list is
// the exit list:
//
//   arm_one(n)  Arranges for B::list::exit_one(n) to be called when this thread exits. After an
//               error nothing is armed. If n has been claimed by then, exit_one() does nothing.
template <class B>
concept backend = requires(detail::block& b) {
  { B::info } -> std::convertible_to<const backend_info&>;
  { B::find() }
  noexcept->std::same_as<detail::block*>;
  { B::arm(b) }
  noexcept->std::same_as<std::errc>;
  { B::forget() }
  noexcept->std::same_as<void>;
  typename B::list;
};

}  // namespace threadref::inline THREADREF_ABI
