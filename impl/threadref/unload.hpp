// SPDX-License-Identifier: MIT
// For plugins: what to call before code that registered finalizers is unloaded.
#pragma once

#include <cstddef>

#include "threadref/backends.hpp"
#include "threadref/detail/code_range.hpp"
#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/detail/kept_object.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// A shared object whose code registers stays loaded after dlclose(), since threads call that code
// when they end. To unload it all the same, call detach_all() from another object, once for each
// back end that it uses, and dlclose() after that. If the object calls detach_all() itself it stays
// loaded, since it would return to code that is gone if nobody else had it open: code that is to
// unload itself is compiled with THREADREF_NO_PIN. Such code does not keep its object loaded, and
// must have called detach_all() by the time that the object is unloaded.
//
// Destroys, uncalled, the pending finalizers and registered destructors of all threads that belong
// to the shared object in which `address_in_object` lies (for example, a function of the plugin),
// and detaches the exit_nodes of the calling thread that do. Those are the ones whose code, or
// whose state of up to 16 bytes, points into the object. Then waits until no finalizer of another
// thread is running and every draining thread has ended, since they may be executing that code.
// Returns the number destroyed, which count as detached; 0 if no object holds the address. Closures
// are destroyed on the calling thread, without a lock held. Any thread. Not a cancellation point.
// O(registrations of all threads), plus the wait.
//
// The plugin itself must undo what this does not find: exit_nodes of other threads, which only
// those may detach; refs with callbacks (drop them); and state of more than 16 bytes whose type
// belongs to another object. No thread may register from the object meanwhile or afterwards. Must
// not be called inside one of the object's finalizers, nor while holding anything that a running
// one waits for: it would deadlock.
template <backend B = default_backend>
[[gnu::always_inline]] inline std::size_t detach_all(const void* address_in_object) noexcept {
  return B::list::detach_all(detail::object_with(address_in_object), detail::this_code());
}

// For a static copy of this library inside a plugin, built with THREADREF_NO_PIN. Call it last
// before dlclose(), once for each back end of the copy. Does what detach_all() does for the plugin,
// and then stops exiting threads from calling into the copy. Nothing can be registered with the
// copy afterwards. Returns the number of registrations destroyed.
//
// Threads that have registered and still run may keep the plugin loaded after dlclose(). With back
// ends that use thread_local destructors, they do so until they end (the C library ensures that);
// with those of Boost, for good (Boost can't remove what a thread was given). So do, until they
// end, threads that registered in the phase early, with any back end.
//
// Let the plugin export its entry points only, by a linker version script. Otherwise it uses the
// copy of a program that has the same version and exports it; and the C library never unloads an
// object from which others could take a variable of a template, as g++ compiles those. 2 MiB of
// address space stay mapped for each copy, of which some 8 KiB are used.
template <backend B = default_backend>
std::size_t unload() noexcept {
  const std::size_t count = detach_all<B>(reinterpret_cast<const void*>(&B::list::install));
  if constexpr (requires { B::withdraw(); }) B::withdraw();
  detail::exit_key<typename B::list>::remove();
  return count;
}

}  // namespace threadref::inline THREADREF_ABI
