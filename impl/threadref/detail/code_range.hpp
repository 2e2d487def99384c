// SPDX-License-Identifier: MIT
// Where a loaded shared object lies in memory.
#pragma once

#include <cstdint>

namespace threadref::detail {

struct code_range {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  [[nodiscard]] bool contains(std::uintptr_t address) const noexcept {
    return begin <= address && address < end;
  }
};

// The object that holds the address; empty if none does. Takes the loader's lock; any thread.
code_range object_with(const void* address) noexcept;

}  // namespace threadref::detail
