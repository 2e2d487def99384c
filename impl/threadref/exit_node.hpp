// SPDX-License-Identifier: MIT
// exit_node: an intrusive finalizer, in storage that the caller provides.
#pragma once

#include <system_error>

#include "threadref/backends.hpp"
#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/detail/kept_object.hpp"
#include "threadref/phase.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// Calls a plain function when the thread that attached the node exits, in one newest-first order
// with finalizers. (On direct back ends, nodes of the phase last run after its finalizers.) It
// needs no allocation, no closure and no handle; so other threads can do nothing with it.
//
// RCU, tracers and allocators embed one in their per-thread data. That data is best on the heap,
// and the node's function frees it. In a thread_local it works in the phase early only, attached
// once that thread_local is constructed: in the other phases the thread_local is destroyed first.
//
// The node must stay in place from attach() until its function has been called or detach() has
// returned. The function may free the node. The destructor detaches. But
//   - on another thread than the attaching one, while that lives, it writes a line to standard
//     error and calls abort(): that thread's exit would use memory that is gone;
//   - if the node lies in a thread_local, it can only be the exit of the thread that destroys it
//     before its turn. (Or it is you, say by optional::reset(): then detach() first.) That is
//     reported to the unraisable hook as incident::node_destroyed, and counts as abandoned. It is
//     not noticed for a node on the heap that a thread_local owns.
// 64 bytes; neither copyable nor movable.
template <backend B = default_backend>
class basic_exit_node {
 public:
  basic_exit_node() = default;
  basic_exit_node(const basic_exit_node&) = delete;
  basic_exit_node& operator=(const basic_exit_node&) = delete;
  ~basic_exit_node() {
    if (is_attached()) [[unlikely]]
      B::list::end_node(node_);
  }

  // Registers function(argument) to be called when the calling thread exits, on that thread. The
  // thread is registered with the back end if it was not. `argument` is only passed on. What the
  // function throws goes to the unraisable hook. Inside a finalizer, the node runs next. If a limit
  // cuts the exit off, the node is detached, uncalled.
  //
  // Errors, after which nothing has changed: invalid_argument (null function);
  // device_or_resource_busy (already attached); resource_unavailable_try_again (no key or block is
  // left); not_enough_memory; operation_not_permitted (the thread has ended for this back end);
  // operation_not_supported (see finalize()).
  //
  // O(1). After a thread's first: no lock, no memory, and no read-modify-write (one with
  // options::global_order). For what a node of the phase early costs, see exit_phase. Safe in a
  // signal handler only if the handler can't interrupt this library on the same thread.
  [[nodiscard]] std::errc attach(void (*function)(void*), void* argument,
                                 exit_phase phase = exit_phase::last) noexcept {
    detail::require_kept_object();
    if (function == nullptr) return std::errc::invalid_argument;
    return B::list::add_node(node_, function, argument, phase);
  }
  // As attach() with exit_phase::last, for callers inside malloc. Where the back end itself could
  // call malloc (see can_register_inside_malloc()), returns operation_not_supported and does
  // nothing.
  [[nodiscard]] std::errc attach_inside_malloc(void (*function)(void*), void* argument) noexcept;
  // Removes the node, uncalled. operation_not_permitted if the caller is not the attaching thread;
  // invalid_argument if the node is not attached, which includes a node whose function has been
  // called. O(1), no lock.
  std::errc detach() noexcept { return B::list::remove_node(node_); }
  // False from just before its function is called.
  [[nodiscard]] bool is_attached() const noexcept {
    return node_.on.load(std::memory_order_relaxed) != nullptr;
  }

 private:
  detail::intrusive_node node_;
};
// An exit_node of the default back end.
using exit_node = basic_exit_node<>;
static_assert(sizeof(exit_node) == 64);

// Whether exit_nodes, and finalizers that are stored in place, can be registered on the calling
// thread without a call to malloc. True if the back end has capability::inside_malloc and its key
// has an index below 32: glibc allocates when a thread first sets a higher one (measured). If
// another thread than main loaded the library, false on main until main has registered: that takes
// an entry in main's list of thread_local destructors. Must be asked by an allocator that may run
// before the library's static initialisers, or after 32 other keys have been created. Any thread;
// creates the key if it is not there yet. O(1).
template <backend B = default_backend>
[[nodiscard]] bool can_register_inside_malloc() noexcept {
  if constexpr (has(B::info.capabilities, capability::inside_malloc)) {
    return detail::exit_key<typename B::list>::needs_no_memory() &&
           !B::list::all().arms_main_here();
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

}  // namespace threadref::inline THREADREF_ABI
