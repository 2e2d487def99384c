// SPDX-License-Identifier: MIT
// The participants of the matrix: the back ends of the contract, the canaries, and the peers, which
// are what people use instead. Peers are loaded from modules beside the program. So the program
// does not start with their libraries, and an event can unload one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "stress/matrix/model/mechanism.hpp"
#include "threadref/backend.hpp"

namespace threadref::stress {

struct participant {
  std::string_view name;
  std::string_view summary;
  const backend_info* contract = nullptr;  // null: a peer
  bool canary = false;
  std::string_view why_absent{};  // "": it is available
};

// The columns: first the peers, then the back ends.
std::vector<participant> default_participants();
std::vector<participant> canary_participants();

// For the child. If a peer's module can't be loaded, it ends the program with a message.
const mechanism& mechanism_of(std::string_view name);

// The path of a module beside the program. `module` is its name without the extension.
std::string beside_program(std::string_view module);

// In participants_backends.cpp and participants_canaries.cpp, which know the lists of types. Null:
// there is none of that name.
const mechanism* backend_mechanism(std::string_view name);
const mechanism* canary_mechanism(std::string_view name);

}  // namespace threadref::stress
