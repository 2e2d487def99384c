// SPDX-License-Identifier: MIT
// The contract in a shared object, which is loaded late, may be there twice, and pins itself.
#include "threadref/backends.hpp"

#include "matrix/contract.hpp"
#include "modules/modules.hpp"
#include "scenarios/canaries.hpp"

const threadref::stress::mechanism* threadref_stress_mechanism_of(const char* name) {
  using namespace threadref;
  const stress::mechanism* const found = stress::find_mechanism(backends{}, name);
  return found != nullptr ? found : stress::find_mechanism(canaries{}, name);
}
