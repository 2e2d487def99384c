// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>

#include "threadref/backend.hpp"
#include "threadref/detail/exit_key.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// Broken on purpose: refs to a thread are not expired while its finalizers run.
struct canary_late_death {
  static constexpr backend_info info{.name = "canary_late_death",
                                     .summary = "refs read alive while finalizers run",
                                     .capabilities = capability::after_thread_locals};
  struct faulty_claim;
  using list = detail::exit_list<canary_late_death, faulty_claim>;

  static detail::block* find() noexcept { return detail::exit_key<list>::get(); }
  static std::errc arm(detail::block& b) noexcept { return detail::exit_key<list>::arm(b); }
  static void forget() noexcept {}
};

struct canary_late_death::faulty_claim : detail::hybrid_claim {
  static void begin(detail::block& b) noexcept {
    b.begin_drain();
    b.live.store(b.serial, std::memory_order_release);  // the fault
  }
};

}  // namespace threadref::inline THREADREF_ABI

extern template class threadref::detail::exit_list<threadref::canary_late_death,
                                                   threadref::canary_late_death::faulty_claim>;
