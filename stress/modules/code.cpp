// SPDX-License-Identifier: MIT
// Callbacks whose code or data is unloaded.
#include "stress/modules/modules.hpp"

void threadref_stress_forward(void* c) {
  const auto one = *static_cast<threadref::stress::callback*>(c);
  one.run(one.with);
}

threadref::stress::callback* threadref_stress_data() {
  static threadref::stress::callback data{};
  return &data;
}
