// SPDX-License-Identifier: MIT
// Records what is reported to the unraisable hook while an object of this class lives.
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
  // Fails the check unless there was exactly one.
  [[nodiscard]] reported_incident only() const;
  // Adds something else to the same list, in chronological order.
  void note(std::string what) const;

 private:
  unraisable_hook before_;
};

}  // namespace threadref::conformance
