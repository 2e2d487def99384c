// SPDX-License-Identifier: MIT
// One way of having a function called when a thread ends: a back end of the contract, or what
// people use instead. All have this interface, so that an event is compiled once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace threadref::stress {

struct callback {
  void (*run)(void*);
  void* with;
};

struct known_thread {
  std::uint64_t identity;
  bool ends;  // its callbacks are running
};

struct mechanism {
  std::string_view name;  // the second half of a cell's name
  // Registers `c` to be called when the calling thread ends. False: it refused.
  bool (*attach)(callback c);
  // The rest is optional: null, and the events that need it are n/a.
  //
  // The same, for a callback that needs thread_locals which exist by now: it must run before these
  // are destroyed. Events take attach() where there is no such way.
  bool (*attach_early)(callback c) = nullptr;
  // As attach(), and returns a function that removes the registration. That may be called once, on
  // any thread, and returns whether it was in time. Empty: it refused.
  std::function<bool()> (*attach_detachable)(callback c) = nullptr;
  std::function<bool()> (*attach_detachable_early)(callback c) = nullptr;
  // Returns a function for any thread: is the thread that called watch() alive, and not ending?
  std::function<bool()> (*watch)() = nullptr;
  // The identity of the calling thread; no two threads ever have the same. 0: it has none (any
  // more).
  std::uint64_t (*identity)() = nullptr;
  // Removes what belongs to the shared object that contains the address. Returns how many.
  std::size_t (*withdraw)(const void* code) = nullptr;
  // Can it register inside malloc? A mechanism that does not say is tried.
  bool (*works_inside_malloc)() = nullptr;
  // The threads that it knows to be alive, each once.
  std::vector<known_thread> (*threads)() = nullptr;
  // Returns a function for any thread, at any time: the name of the thread that called name_of().
  std::function<std::string()> (*name_of)() = nullptr;
  // Registers `run` to be called with what `variable` holds then.
  bool (*attach_variable)(void** variable, void (*run)(void*)) = nullptr;
  // Removes all destructors of the variable that the calling thread has pending. Were there any?
  bool (*detach_variable)(void** variable) = nullptr;
  // Sets the calling thread's value of one variable, whose destructor is `run`. A peer is a module,
  // so whether it has this is known only in the child.
  bool (*set_value)(callback c) = nullptr;
  // How many callbacks the calling thread has pending.
  std::size_t (*pending)() = nullptr;
};

}  // namespace threadref::stress
