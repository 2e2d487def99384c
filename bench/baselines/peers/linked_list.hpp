// SPDX-License-Identifier: MIT
// Used by several peers: the list that a C program keeps in a thread-specific value, whose
// destructor runs it.
#pragma once

#include "bench/timing/probe.hpp"

namespace threadref::bench {

struct linked_entry {
  entry what;
  linked_entry* older;
};

// Newest first. A function that is added meanwhile sets the value again, and so runs in the next
// round.
template <auto Free>
void run_linked(void* newest) {
  for (auto* at = static_cast<linked_entry*>(newest); at != nullptr;) {
    linked_entry* const older = at->older;
    at->what.fn(at->what.arg);
    Free(at);
    at = older;
  }
}

}  // namespace threadref::bench
