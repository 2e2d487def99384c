// SPDX-License-Identifier: MIT
#pragma once

#include "threadref/backends.hpp"
#include "threadref/detail/domain.hpp"
#include "threadref/detail/memory.hpp"

namespace threadref {

// What happened to the back end's registrations so far, over all threads. Exact once the threads
// that registered or took finalizers were joined; before, a snapshot whose parts may be of
// different moments. Any thread. O(blocks ever used at once); no lock.
template <backend B = default_backend>
counters stats() noexcept {
  return B::list::all().sum();
}

// Gives the memory that dead threads of the back end left for the next ones back to the system, as
// far as whole mappings of 1 MiB are free. The records of dead threads stay: some 600 bytes for
// each that was alive at the peak. Any thread, at any time. O(threads at the peak + their slabs).
template <backend B = default_backend>
void trim() noexcept {
  B::list::all().trim();
  detail::trim_memory();
}

}  // namespace threadref
