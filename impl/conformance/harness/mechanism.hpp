// SPDX-License-Identifier: MIT
// What follows from the mechanism that a back end declares when the system has no memory left, or
// when the back end's code is unloaded. Tests that bring this about ask here what to expect; none
// of them names a back end.
#pragma once

#include "threadref/backend.hpp"

namespace threadref::conformance {

// What the system stores for a thread that registers, besides the value of a pthread key. It needs
// memory, and it points to the back end's code until the thread ends.
enum class thread_record {
  none,
  of_another_library,   // without memory for it, registering is refused
  one_entry,            // in glibc's list of thread_local destructors: without memory, glibc aborts
  entry_per_finalizer,  // the same, for each finalizer
};

constexpr thread_record record_of(const backend_info& b) {
  if (has(b.capabilities, capability::interleaved)) return thread_record::entry_per_finalizer;
  if (has(b.capabilities, capability::among_thread_locals)) return thread_record::one_entry;
  return b.foreign_record ? thread_record::of_another_library : thread_record::none;
}

// Why an unloaded object stays loaded while a thread that registered still runs; null: it does not.
constexpr const char* why_still_loaded(const backend_info& b) {
  switch (record_of(b)) {
    case thread_record::none:
      return nullptr;
    case thread_record::of_another_library:
      return "another library can't drop what it stores for a running thread";
    case thread_record::one_entry:
    case thread_record::entry_per_finalizer:
      return "the C library keeps an object with pending thread_local destructors";
  }
  return nullptr;
}

}  // namespace threadref::conformance
