// SPDX-License-Identifier: MIT
// What passes between an exit list and who registers there.
#pragma once

#include <cstdint>
#include <system_error>

#include "threadref/detail/block.hpp"
#include "threadref/detail/exit_link.hpp"

namespace threadref::detail {

// What a handle remembers of a registration. Trivially copyable; never dangles (see block.hpp).
struct registration {
  block* on = nullptr;
  std::uint64_t serial = 0;
  node* at = nullptr;
  std::uint64_t generation = 0;
  friend bool operator==(const registration&, const registration&) = default;
};

// By value, both: an error that is written through a reference is memory to the compiler, and
// costs a registration nine instructions.
struct attached {
  block* b;  // null: error
  std::errc error;
};
struct added {
  registration at;
  std::errc error;
};

}  // namespace threadref::detail
