// SPDX-License-Identifier: MIT
// The addresses that a loaded shared object occupies, and its thread_local storage.
#pragma once

#include <cstdint>

#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI::detail {

struct code_range {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  [[nodiscard]] bool contains(std::uintptr_t address) const noexcept {
    return begin <= address && address < end;
  }
};

// Returns the range of the object that holds the address; empty if none does. Takes the loader's
// lock. Any thread.
code_range object_with(const void* address) noexcept;

// Whether the address lies in the calling thread's thread_local storage, of any object. Takes the
// loader's lock. O(objects).
bool is_thread_local(const void* address) noexcept;

}  // namespace threadref::inline THREADREF_ABI::detail
