// SPDX-License-Identifier: MIT
// The library in a shared object that is loaded late, may be loaded twice, and pins itself.
#include "stress/matrix/model/participants.hpp"
#include "stress/modules/modules.hpp"

const threadref::stress::mechanism* threadref_stress_mechanism_of(const char* name) {
  using namespace threadref::stress;
  const mechanism* const found = backend_mechanism(name);
  return found != nullptr ? found : canary_mechanism(name);
}
