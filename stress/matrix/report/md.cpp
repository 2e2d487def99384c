// SPDX-License-Identifier: MIT
#include <absl/strings/str_format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "scenarios/describe.hpp"
#include "stress/matrix/model/bugs.hpp"
#include "stress/matrix/report/report.hpp"
#include "stress/matrix/runner/advice.hpp"
#include "testing/build_info.hpp"
#include "testing/text.hpp"

namespace threadref::stress {

namespace {

std::string header(const matrix_result& r) {
  std::string names = "| what happens |";
  std::string rule = "| --- |";
  for (const participant& p : r.participants) {
    names += testing::concat(" `", p.name, "` |");
    rule += " --- |";
  }
  return testing::concat(names, "\n", rule, "\n");
}

// Footnotes under the table: conditions and reasons, each once.
class notes {
 public:
  std::string mark(const std::string& why) {
    if (why.empty()) return {};
    const auto found = std::find(all_.begin(), all_.end(), why);
    const auto at = found - all_.begin();
    if (found == all_.end()) all_.push_back(why);
    return testing::concat(" [", at + 1, "]");
  }
  [[nodiscard]] std::string list() const {
    std::string lines;
    for (std::size_t i = 0; i != all_.size(); ++i)
      lines += testing::concat(i + 1, ". ", all_[i], "\n");
    return lines;
  }

 private:
  std::vector<std::string> all_;
};

std::string cell_text(const event_cell& c, notes& under) {
  const std::string_view name = to_string(c.is);
  if (c.is == outcome::guaranteed) return std::string(name);
  const bool stands_out = c.is != outcome::conditional && c.is != outcome::refused && is_seen(c.is);
  return testing::concat(stands_out ? "**" : "", name, stands_out ? "**" : "", under.mark(c.why));
}

// For each bug of the list: the rows that would have shown it, or why there is none.
std::string bug_table(const matrix_result& r) {
  std::string all = "| bugs that people had | rows that show them |\n| --- | --- |\n";
  for (const bug& b : bugs) {
    std::string rows;
    const event* last = nullptr;
    for (const event_cell& c : r.cells) {
      if (c.what == last) continue;
      last = c.what;
      if (std::find(last->bugs.begin(), last->bugs.end(), b.line) != last->bugs.end())
        rows += testing::concat(rows.empty() ? "" : ", ", "`", last->name, "`");
    }
    all += testing::concat("| ", b.line, ". ", b.symptom, " | ",
                           b.why_no_row.empty() ? rows : b.why_no_row, " |\n");
  }
  return all;
}

}  // namespace

std::string matrix_markdown(const matrix_result& r) {
  std::string all;
  for (const std::string& s : matrix_advice(r)) all += testing::concat("* ", s, "\n");
  all += testing::concat("\n", header(r));
  notes under;
  std::string_view group;
  for (auto from = r.cells.begin(); from != r.cells.end();) {
    const event& e = *from->what;
    if (const std::string_view of = e.name.substr(0, e.name.find('/')); of != group) {
      group = of;
      all += testing::concat("| **", group, "** |");
      for (std::size_t i = 0; i != r.participants.size(); ++i) all += " |";
      all += "\n";
    }
    all += testing::concat("| `", e.name, "` ", e.asks, " |");
    for (const participant& p : r.participants) {
      const bool is_its =
          from != r.cells.end() && from->what == &e && from->subject->name == p.name;
      all += is_its ? testing::concat(" ", cell_text(*from, under), " |") : " |";
      if (is_its) ++from;
    }
    all += "\n";
  }
  const testing::build_info& b = testing::this_build();
  all += testing::concat("\n", under.list(), "\n", r.trials, " trials of each condition, ",
                         b.compiler, " ", b.build_type, absl::StrFormat(", seed 0x%x. ", r.seed),
                         "Any cell again: `stress_threadref --filter='^<event>/<mechanism>$'`.\n");
  return all + "\n" + bug_table(r);
}

}  // namespace threadref::stress
