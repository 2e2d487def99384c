// SPDX-License-Identifier: MIT
// Counters of a back end, and giving back memory.
#pragma once

#include "threadref/backends.hpp"
#include "threadref/detail/domain.hpp"
#include "threadref/detail/memory.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// What has happened to the back end's registrations so far, over all threads: see counters. Exact
// once the threads that registered or claimed finalizers have been joined; before that, a snapshot
// whose parts may belong to different moments. Any thread. No lock. O(peak number of live threads).
template <backend B = default_backend>
counters stats() noexcept {
  return B::list::all().sum();
}

// Returns memory that dead threads of the back end left for later ones to the system, as far as
// whole mappings of 1 MiB are free. The records of dead threads stay: some 600 bytes for each
// thread that was alive at the peak. Any thread, at any time. O(peak number of live threads + their
// slabs).
template <backend B = default_backend>
void trim() noexcept {
  B::list::all().trim();
  detail::trim_memory();
}

}  // namespace threadref::inline THREADREF_ABI
