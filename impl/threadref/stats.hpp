// SPDX-License-Identifier: MIT
#pragma once

#include "threadref/backends.hpp"
#include "threadref/detail/domain.hpp"

namespace threadref {

// What happened to the back end's registrations so far, over all threads. Exact once the threads
// that registered or took finalizers were joined; before, a snapshot whose parts may be of
// different moments. Any thread. O(blocks ever used at once); no lock.
template <backend B = default_backend>
counters stats() noexcept {
  return B::list::all().sum();
}

}  // namespace threadref
