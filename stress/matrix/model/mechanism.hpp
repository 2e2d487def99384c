// SPDX-License-Identifier: MIT
// One way of having a function called when a thread ends, behind one face: a back end of the
// contract, or what people use instead. Type-erased, so that an event is compiled once for all.
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
  bool ends;  // its callbacks run
};

struct mechanism {
  std::string_view name;  // the second half of a cell's name
  // Has `c` called when the calling thread ends. False: it says that it can't.
  bool (*attach)(callback c);
  // What not every mechanism has; null, and then the events that need it are n/a.
  //
  // The same, and a function that takes it back; that may be called once, on any thread, and gives
  // whether it was in time. Empty: it said that it can't.
  std::function<bool()> (*attach_detachable)(callback c) = nullptr;
  // A function that says whether the calling thread has not yet begun to end; for any thread.
  std::function<bool()> (*watch)() = nullptr;
  // Who the calling thread is; never the same for two threads. 0: nobody, or no longer.
  std::uint64_t (*identity)() = nullptr;
  // Takes back what belongs to the shared object that holds the address; how many.
  std::size_t (*withdraw)(const void* code) = nullptr;
  // Whether it may be asked inside malloc; a mechanism that does not say is asked.
  bool (*works_inside_malloc)() = nullptr;
  // The threads that it knows to live; each once.
  std::vector<known_thread> (*threads)() = nullptr;
  // A function that says the name of the calling thread; for any thread, at any time.
  std::function<std::string()> (*name_of)() = nullptr;
  // Has the destructor called with what `variable` then holds.
  bool (*attach_variable)(void** variable, void (*run)(void*)) = nullptr;
  // Takes back all destructors of the variable that the calling thread has pending; were there any?
  bool (*detach_variable)(void** variable) = nullptr;
  // Sets the value that one variable has on the calling thread; `run` is its destructor. What a
  // peer has none of, it does not say before it is played.
  bool (*set_value)(callback c) = nullptr;
  // How many callbacks the calling thread has before it.
  std::size_t (*pending)() = nullptr;
};

}  // namespace threadref::stress
