// SPDX-License-Identifier: MIT
// Who takes part in the matrix: the back ends of the contract, the canaries, and the peers, which
// are what people use instead. Peers are loaded from modules beside the program, so that it does
// not start with their libraries, and so that events can unload one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "stress/matrix/model/mechanism.hpp"
#include "threadref/backend.hpp"

namespace threadref::stress {

struct player {
  std::string_view name;
  std::string_view summary;
  const backend_info* contract = nullptr;  // null: a peer
  bool canary = false;
  std::string_view why_absent{};  // "": it is there
};

// Columns, in this order: peers, then back ends. Canaries instead, if they are asked for.
std::vector<player> cast(bool canaries);

// For the child. Ends the program with a sentence if a peer's module can't be loaded.
const mechanism& mechanism_of(std::string_view name);

// Where what lies beside the program lies: modules by their name without ending.
std::string beside_program(std::string_view module);

// By the two files that know the lists of types.
const mechanism* backend_mechanism(std::string_view name);
const mechanism* canary_mechanism(std::string_view name);

}  // namespace threadref::stress
