// SPDX-License-Identifier: MIT
// What the unraisable hook was told while an object of this class lives.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "threadref/threadref.hpp"

namespace threadref::conformance {

struct reported_incident {
  std::uint64_t serial = 0;
  incident kind = incident::threw;
  std::string what;  // of the exception; "unknown" for other types, empty for none
};

class captured_incidents {
 public:
  captured_incidents();
  ~captured_incidents();
  captured_incidents(const captured_incidents&) = delete;
  captured_incidents& operator=(const captured_incidents&) = delete;
  [[nodiscard]] std::vector<reported_incident> all() const;
  // Something else that is to stand in the same list, in the order of time.
  void note(std::string what) const;

 private:
  unraisable_hook before_;
};

}  // namespace threadref::conformance
