// SPDX-License-Identifier: MIT
#include "stress/accounting/tally.hpp"

#include <algorithm>

namespace threadref::stress {

void tally::add(std::string_view name, std::uint64_t count) {
  if (count == 0) return;
  for (line& l : lines_) {
    if (l.name == name) {
      l.count += count;
      return;
    }
  }
  lines_.push_back({name, count});
}

void tally::add(const tally& other) {
  for (const line& l : other.lines_) add(l.name, l.count);
}

std::uint64_t tally::count(std::string_view name) const noexcept {
  for (const line& l : lines_) {
    if (l.name == name) return l.count;
  }
  return 0;
}

std::uint64_t tally::sum() const noexcept {
  std::uint64_t all = 0;
  for (const line& l : lines_) all += l.count;
  return all;
}

std::string_view to_string(verdict v) noexcept {
  constexpr std::string_view names[] = {"passed", "unknown", "failed"};
  return names[static_cast<int>(v)];
}

judgement judge(const scenarios::cell& c, const tally& seen) {
  using scenarios::grade;
  judgement j;
  for (const tally::line& l : seen.lines()) {
    const scenarios::outcome* declared = scenarios::find_outcome(*c.row, l.name);
    graded g{l.name, l.count, grade::forbidden, "not declared for this scenario"};
    if (declared != nullptr) g = {l.name, l.count, declared->expect, declared->why};
    if (c.status == scenarios::cell_status::deviates && l.name == c.outcome)
      g = {l.name, l.count, grade::interesting, c.why};
    j.outcomes.push_back(g);
  }
  std::stable_sort(j.outcomes.begin(), j.outcomes.end(),
                   [](const graded& a, const graded& b) { return a.grade > b.grade; });
  j.is = seen.sum() == 0 ? verdict::unknown : verdict::passed;
  for (const graded& g : j.outcomes) {
    if (g.grade == grade::forbidden) j.is = verdict::failed;
    if (g.grade == grade::interesting) j.interesting = true;
  }
  if (c.status == scenarios::cell_status::deviates && seen.count(c.outcome) == 0) {
    j.is = verdict::failed;
    j.outcomes.push_back(
        {c.outcome, 0, grade::forbidden, "declared as a deviation of the back end, but not seen"});
  }
  for (const scenarios::outcome& o : c.row->outcomes) {
    if (!o.name.empty() && o.expect == grade::acceptable && seen.count(o.name) == 0)
      j.outcomes.push_back({o.name, 0, o.expect, o.why});
  }
  return j;
}

}  // namespace threadref::stress
