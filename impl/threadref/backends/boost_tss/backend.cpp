// SPDX-License-Identifier: MIT
#include "threadref/backends/boost_tss/backend.hpp"

#include <cxxabi.h>

#include <boost/thread/tss.hpp>
#include <new>
#include <utility>

#include "threadref/config.hpp"
#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/exit_list_impl.hpp"
#include "threadref/detail/process.hpp"

template class threadref::detail::exit_list<threadref::boost_tss, threadref::detail::hybrid_claim>;

namespace threadref::inline THREADREF_ABI {

namespace {

using boost_tss_key = detail::exit_key<boost_tss::list>;
using tss = boost::thread_specific_ptr<detail::block>;

// Boost erases the value when this returns, so it can't arm itself again for later registrations.
// The key's rounds run those, and the rest if a finalizer leaves by pthread_exit.
THREADREF_CATCHES_UNWINDING void cleanup(detail::block* b) {
  if (!boost_tss::list::owns(*b)) return;
  b->early_is_over = true;
  const bool more_to_come = boost_tss_key::arm(*b) == std::errc{};
  try {
    boost_tss::list::exit_pass(*b, exit_phase::last);
  } catch (abi::__forced_unwind&) {
    // glibc starts its rounds of keys anew. ThreadSanitizer does not, so a round is used up there.
    if (detail::under_tsan) ++b->rounds;
    throw;
  }
  if (!more_to_come) boost_tss::list::end(*b);
}

// Returns null if no key is left. Leaked on purpose: the destructor of a thread_specific_ptr would
// run the cleanup on main.
tss* make() noexcept {
  if (!detail::a_key_is_left()) return nullptr;
  tss* made = new (std::nothrow) tss(&cleanup);
  if (made != nullptr) static_cast<void>(made->get());  // makes Boost create its key
  return made;
}

tss*& the_tss() noexcept {
  static tss* one = make();
  return one;
}

// Before main, while keys are still free. Boost's key comes first, so that the library's comes
// after it in each round.
[[maybe_unused]] const bool boost_tss_is_early =
    boost_tss::list::install() && the_tss() != nullptr && boost_tss_key::ready();

}  // namespace

detail::block* boost_tss::find() noexcept {
  tss* t = the_tss();
  return t != nullptr && t->get() == list::own() ? list::own() : nullptr;
}

std::errc boost_tss::arm(detail::block& b) noexcept {
  tss* t = the_tss();
  if (t == nullptr) return std::errc::resource_unavailable_try_again;
  try {
    t->reset(&b);
  } catch (const std::bad_alloc&) {
    return std::errc::not_enough_memory;
  }
  // Boost's release build does not check whether its own key could be set, which needs memory from
  // index 32 on. If it could not, the value is lost, and its cleanup is never called.
  if (t->get() != &b) return std::errc::not_enough_memory;
  // In the child of a fork, Boost may find its data already on the new thread, and not set its key.
  // glibc would then call no destructor of the thread at all.
  static_cast<void>(boost_tss_key::arm(b));
  return {};
}

// Boost's own key may give the data of a vanished thread, with the old value in it, to a new one. A
// thread_specific_ptr at another address has no value in there.
void boost_tss::renew() noexcept {
  tss* const old = the_tss();
  if (old == nullptr) return;
  static_cast<void>(old->release());
  the_tss() = new (std::nothrow) tss(&cleanup);
  if (list::own() != nullptr) static_cast<void>(arm(*list::own()));
}

// What Boost stores for a thread points to the cleanup, and only that thread can change it.
void boost_tss::withdraw() noexcept {
  if (list::all().has_others()) return detail::keep_this_object();
  tss* const last = std::exchange(the_tss(), nullptr);
  if (last == nullptr) return;
  static_cast<void>(last->release());
  delete last;
}

}  // namespace threadref::inline THREADREF_ABI
