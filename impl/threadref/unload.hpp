// SPDX-License-Identifier: MIT
// For plugins: what must happen before code that registered finalizers is unloaded.
#pragma once

#include <cstddef>

#include "threadref/backends.hpp"
#include "threadref/detail/code_range.hpp"
#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/exit_list.hpp"

namespace threadref {

// Destroys, uncalled, every pending finalizer and registered destructor of all threads that belongs
// to the shared object which holds `address_in_object` (a function of the plugin, say): whose code,
// or whose state of up to 16 bytes, points into it. Then waits until no finalizer runs on another
// thread and those that drain have ended, since those may be in that code. Gives the number
// destroyed; they count as detached. Their destructors run on the calling thread, without a lock.
// No cancellation point.
//
// Not found, and so to be undone by the plugin itself: exit_nodes, refs with callbacks (drop them),
// state of more than 16 bytes whose type belongs to another object. Nobody may register from that
// object meanwhile. Must not be called inside one of its finalizers, nor while holding what a
// running one waits for. O(registrations of all threads).
template <backend B = default_backend>
std::size_t detach_all(const void* address_in_object) noexcept {
  const detail::code_range object = detail::object_with(address_in_object);
  return object.begin == object.end ? 0 : B::list::detach_all(object);
}

// For a static copy of this library inside a plugin, built with THREADREF_NO_PIN: call it last,
// before dlclose(), for each back end of the copy. As detach_all() for the plugin, and then threads
// no longer call into the copy when they end. Nothing can be registered with it any more.
//
// Threads that registered and still run may keep the plugin loaded after dlclose(): back ends that
// use thread_local destructors until they end (the C library sees to that), those of Boost for good
// (it can't forget what a thread was given). And let the plugin export its entry points only, by a
// version script of the linker: the variables of templates are unique in the process otherwise
// (g++), so that two copies become one, and the C library keeps whichever was loaded first. 2 MiB
// of address space stay mapped for each copy, some 8 KiB of them used.
template <backend B = default_backend>
std::size_t unload() noexcept {
  const std::size_t count = detach_all<B>(reinterpret_cast<const void*>(&B::list::install));
  if constexpr (requires { B::withdraw(); }) B::withdraw();
  detail::exit_key<typename B::list>::remove();
  return count;
}

}  // namespace threadref
