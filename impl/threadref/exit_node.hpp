// SPDX-License-Identifier: MIT
// exit_node: a finalizer in storage of the caller.
#pragma once

#include <system_error>

#include "threadref/backends.hpp"
#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/phase.hpp"

namespace threadref {

// Has a plain function called at the exit of the thread that attaches it, in one newest-first order
// with finalizers: what RCU, tracers and allocators embed in their own per-thread data. No
// allocation, no closure, no handle, and so nothing that another thread could do with it.
//
// Its storage must stay in place from attach() until the function was called or detach() returned;
// inside the function it may be freed already. The destructor detaches, on the attaching thread;
// elsewhere it must not be attached any more. 48 bytes; neither copied nor moved.
template <backend B = default_backend>
class basic_exit_node {
 public:
  basic_exit_node() = default;
  basic_exit_node(const basic_exit_node&) = delete;
  basic_exit_node& operator=(const basic_exit_node&) = delete;
  ~basic_exit_node() { static_cast<void>(detach()); }

  // Has function(argument) called when the calling thread exits; it becomes known to the back end
  // if it was not. What the function throws goes to the unraisable hook. May be called inside a
  // finalizer: then it runs next.
  //
  // Errors, and then nothing has changed: invalid_argument (null function),
  // device_or_resource_busy (attached already), resource_unavailable_try_again (no key or block
  // left), not_enough_memory, operation_not_permitted (the thread has ended for this back end).
  // O(1); after a thread's first: no lock, no read-modify-write, no memory. Safe in a signal
  // handler only if it can't interrupt this library on the same thread.
  [[nodiscard]] std::errc attach(void (*function)(void*), void* argument,
                                 exit_phase phase = exit_phase::last) noexcept {
    if (function == nullptr) return std::errc::invalid_argument;
    return B::list::add_node(node_, function, argument, phase);
  }
  // The same for who is inside malloc: refused with operation_not_supported where the back end
  // could call malloc itself (see can_register_inside_malloc()), before anything has happened.
  [[nodiscard]] std::errc attach_inside_malloc(void (*function)(void*), void* argument) noexcept;
  // Takes it out, uncalled. operation_not_permitted on another thread than the attaching one;
  // invalid_argument if it is not attached, or its turn has come. O(1), no lock.
  std::errc detach() noexcept { return B::list::remove_node(node_); }
  // False from the moment its function is called.
  [[nodiscard]] bool is_attached() const noexcept {
    return node_.on.load(std::memory_order_relaxed) != nullptr;
  }

 private:
  detail::intrusive_node node_;
};
// An exit_node of the default back end.
using exit_node = basic_exit_node<>;

// Whether registering on the calling thread is free of malloc: exit_node, and finalizers that are
// stored in place. True where the back end has capability::inside_malloc, and its key an index
// below 32: glibc allocates when a thread first sets a later one (measured). An allocator that is
// used before the library's own static initialisers, or after 32 other keys, must ask. Any thread.
template <backend B = default_backend>
[[nodiscard]] bool can_register_inside_malloc() noexcept {
  if constexpr (has(B::info.capabilities, capability::inside_malloc)) {
    return detail::exit_key<typename B::list>::needs_no_memory();
  } else {
    return false;
  }
}

template <backend B>
std::errc basic_exit_node<B>::attach_inside_malloc(void (*function)(void*),
                                                   void* argument) noexcept {
  if (!can_register_inside_malloc<B>()) return std::errc::operation_not_supported;
  return attach(function, argument);
}

}  // namespace threadref
