// SPDX-License-Identifier: MIT
#include "threadref/backends/boost_at_thread_exit/backend.hpp"

#include <cxxabi.h>

#include <boost/thread/thread.hpp>
#include <cstdint>
#include <new>

#include "threadref/config.hpp"
#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/exit_list_impl.hpp"
#include "threadref/detail/process.hpp"

template class threadref::detail::exit_list<threadref::boost_at_thread_exit,
                                            threadref::detail::hybrid_claim>;

namespace threadref::inline THREADREF_ABI {

constinit thread_local detail::block* boost_at_thread_exit::block_ = nullptr;

namespace {

using boost_list_key = detail::exit_key<boost_at_thread_exit::list>;

struct turn {
  detail::node* of;
  std::uint64_t serial;
  // After a pthread_exit in here, glibc forgets all keys that were set before. So the library's key
  // is set again, and runs the rest.
  THREADREF_CATCHES_UNWINDING void operator()() const {
    detail::block* const b = boost_at_thread_exit::find();
    // In the child of a fork, Boost's key may give a vanished thread's list to a new thread.
    if (b == nullptr || b->serial != serial) return;
    try {
      boost_at_thread_exit::list::exit_one(*of);
    } catch (abi::__forced_unwind&) {
      static_cast<void>(boost_list_key::arm(*b));
      // glibc starts its rounds of keys anew. ThreadSanitizer does not, so a round is used up
      // there.
      if (detail::under_tsan) ++b->rounds;
      throw;
    }
  }
};

// Boost creates its key on first use. That is now: while keys are free, and before the library's
// key, so that the library's comes after it in each round. Not by an empty at_thread_exit(): Boost
// would store code of this object for the thread that loaded it.
bool make_keys() noexcept {
  static const bool made = [] {
    if (!detail::a_key_is_left()) return false;
    static_cast<void>(boost::this_thread::interruption_enabled());
    return boost_list_key::ready();
  }();
  return made;
}
[[maybe_unused]] const bool boost_at_thread_exit_is_early =
    boost_at_thread_exit::list::install() && make_keys();

}  // namespace

// The key runs what has no entry with the system (exit_nodes, destructors) and what came too late
// for one, and reports the thread's end.
std::errc boost_at_thread_exit::arm(detail::block& b) noexcept {
  if (!make_keys()) return std::errc::resource_unavailable_try_again;
  const std::errc error = boost_list_key::arm(b);
  if (error == std::errc{}) block_ = &b;
  return error;
}

std::errc boost_at_thread_exit::arm_one(detail::node& n) noexcept {
  try {
    boost::this_thread::at_thread_exit(turn{&n, find()->serial});
  } catch (const std::bad_alloc&) {
    return std::errc::not_enough_memory;
  }
  return {};
}

// Boost can't remove what it was given for a thread.
void boost_at_thread_exit::withdraw() noexcept {
  if (list::own() != nullptr || list::all().has_others()) detail::keep_this_object();
}

}  // namespace threadref::inline THREADREF_ABI
