// SPDX-License-Identifier: MIT
// Counts of outcomes, by the names that the table of scenarios grades.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/cells.hpp"

namespace threadref::stress {

class tally {
 public:
  // `name` is a literal. Counts of 0 are not stored.
  void add(std::string_view name, std::uint64_t count);
  void add(const tally& other);
  [[nodiscard]] std::uint64_t count(std::string_view name) const noexcept;
  [[nodiscard]] std::uint64_t sum() const noexcept;
  struct line {
    std::string_view name;
    std::uint64_t count;
  };
  [[nodiscard]] const std::vector<line>& lines() const noexcept { return lines_; }

 private:
  std::vector<line> lines_;
};

// From best to worst.
enum class verdict { passed, unknown, failed };
std::string_view to_string(verdict v) noexcept;
constexpr verdict worse(verdict a, verdict b) noexcept {
  return a < b ? b : a;
}

// One line of the printed table.
struct graded {
  std::string_view name;
  std::uint64_t count = 0;
  scenarios::grade grade = scenarios::grade::forbidden;
  std::string_view why;
};
struct judgement {
  verdict is = verdict::unknown;
  bool interesting = false;
  std::vector<graded> outcomes;  // those seen, worst first; then acceptable ones that were not
};
// passed: something was seen, all of it declared and none of it forbidden. A deviation that the
// back end declares counts as interesting, and fails the cell if it does not show up. unknown:
// nothing was seen.
judgement judge(const scenarios::cell& c, const tally& seen);

}  // namespace threadref::stress
