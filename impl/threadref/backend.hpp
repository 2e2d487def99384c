// SPDX-License-Identifier: MIT
// What a back end is: one answer to "how does a thread learn that it exits?".
#pragma once

#include <concepts>
#include <span>
#include <string_view>
#include <system_error>

namespace threadref {

namespace detail {
struct block;
}

// What a back end may claim beyond the contract; what it claims is tested, what it does not claim
// makes the cells that need it "n/a", with that reason.
enum class capability : unsigned {
  none = 0,
  after_thread_locals =
      1,  // on a thread of std::thread or pthread_create, all thread_locals die first
  among_thread_locals = 2,  // younger thread_locals die before, older ones after the finalizers
  interleaved = 8,    // and each finalizer has a place of its own there, by when it was registered
  inside_malloc = 4,  // an allocator may register: see can_register_inside_malloc()
};
constexpr capability operator|(capability a, capability b) {
  return static_cast<capability>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool has(capability set, capability wanted) {
  return (static_cast<unsigned>(set) & static_cast<unsigned>(wanted)) ==
         static_cast<unsigned>(wanted);
}

// A declared departure from the contract: which scenario of stress_threadref, or which check of the
// conformance suite, shows it; as which outcome; and why. One that does not show up is a failure
// too, so that the list stays honest.
struct deviation {
  std::string_view where;    // a scenario's name; or what a check's name begins with: "c064_a_long"
  std::string_view outcome;  // what happens instead
  std::string_view why;
};

struct backend_info {
  std::string_view name;     // folder, type, CLI name, test name and JSON key
  std::string_view summary;  // one line: the mechanism
  capability capabilities = capability::none;
  std::span<const deviation> deviations{};
  // Facts of the mechanism, which are no promises. The tests that leave it without keys or memory,
  // or unload it, expect what these and the capabilities imply.
  bool needs_key = true;        // registering is refused if the process has no pthread key left
  bool foreign_record = false;  // another library stores data for each thread that registers
};

// Why a line of the table of back ends is not in this build.
struct absent_backend {
  std::string_view name;
  std::string_view why;
};

// A hook back end answers two questions. Everything else (list, order, claim, detach, weak
// reference) is detail::exit_list, which all of them share; so their figures differ by exactly
// these two answers.
//
//   find()    how is this thread's block found? Null: never registered, or no longer.
//   arm(b)    have B::list::exit_pass(b, exit_phase::last) called when this thread exits; called
//             once in a thread's life, on that thread. An error leaves nothing armed; std::errc{}
//             is success. (Not an error_code: making one calls into the C++ library, on the way of
//             each registration.)
//   forget()  the thread has ended for this back end: from now on find() is null on it.
//
// It may have two more, for what the system knows of it besides the key of exit_key:
//
//   renew()     in the child of a fork, by its only thread: whatever the system keeps for a thread
//               may come to the next ones from a vanished one, and must not be taken for theirs.
//   withdraw()  the object that holds the back end is about to be unloaded, and no thread may enter
//               it any more: have the system forget it, or keep the object loaded.
//
// A direct back end has another: it registers each finalizer with the system by itself, so that the
// system's own list is the exit list.
//
//   arm_one(n)  have B::list::exit_one(n) called when this thread exits. An error leaves nothing
//               armed. The entry may come when n was taken long ago: then it does nothing.
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

}  // namespace threadref
