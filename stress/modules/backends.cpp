// SPDX-License-Identifier: MIT
// The contract in a shared object, which is loaded late, may be there twice, and pins itself.
#include "stress/matrix/model/participants.hpp"
#include "stress/modules/modules.hpp"

const threadref::stress::mechanism* threadref_stress_mechanism_of(const char* name) {
  using namespace threadref::stress;
  const mechanism* const found = backend_mechanism(name);
  return found != nullptr ? found : canary_mechanism(name);
}
