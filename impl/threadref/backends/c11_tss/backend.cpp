// SPDX-License-Identifier: MIT
#include "threadref/backends/c11_tss/backend.hpp"

#include <threads.h>

#include <atomic>

#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/exit_list_impl.hpp"
#include "threadref/detail/process.hpp"

template class threadref::detail::exit_list<threadref::c11_tss, threadref::detail::hybrid_claim>;

namespace threadref::inline THREADREF_ABI {

namespace {

struct slot {
  slot() noexcept
      : made(!detail::is_in_other_namespace() && tss_create(&id, &on_round) == thrd_success) {}
  static void on_round(void* value);
  tss_t id{};
  std::atomic<bool> made;  // false: no key was left, or it has been deleted
};

slot& the_slot() noexcept {
  static slot one;
  return one;
}

// As exit_key, with the C11 functions: it arms itself again in every round before anything runs.
void slot::on_round(void* value) {
  detail::block& b = *static_cast<detail::block*>(value);
  if (!c11_tss::list::owns(b)) return;
  tss_set(the_slot().id, value);
  if (detail::run_round<c11_tss::list>(b)) c11_tss::list::end(b);
}

// Before main, for a low index: a thread needs no memory when it first sets such a key.
[[maybe_unused]] const bool c11_tss_is_early = c11_tss::list::install() && the_slot().made;

}  // namespace

detail::block* c11_tss::find() noexcept {
  return the_slot().made && tss_get(the_slot().id) == list::own() ? list::own() : nullptr;
}

std::errc c11_tss::arm(detail::block& b) noexcept {
  if (!the_slot().made) return std::errc::resource_unavailable_try_again;
  return tss_set(the_slot().id, &b) == thrd_success ? std::errc{} : std::errc::not_enough_memory;
}

// See exit_key::renew().
void c11_tss::renew() noexcept {
  if (!the_slot().made) return;
  detail::block* const mine = find();
  tss_delete(the_slot().id);
  the_slot().made = tss_create(&the_slot().id, &slot::on_round) == thrd_success;
  if (the_slot().made && mine != nullptr) tss_set(the_slot().id, mine);
}

// `made` is cleared first, so that the value of another owner's key with the same index is never
// taken for a block.
void c11_tss::withdraw() noexcept {
  if (the_slot().made.exchange(false)) tss_delete(the_slot().id);
}

void c11_tss::forget() noexcept {
  tss_set(the_slot().id, nullptr);
}

}  // namespace threadref::inline THREADREF_ABI
