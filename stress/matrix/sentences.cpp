// SPDX-License-Identifier: MIT
#include "matrix/sentences.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "text.hpp"

namespace threadref::stress {

namespace {

// What people need, and the rows that must all say "guaranteed". A name may end in a star.
struct need {
  std::string_view what;  // completes "If you need ..."
  std::array<std::string_view, 6> rows;
};
constexpr need needs[] = {
    {"callbacks when a thread returns, and nothing more", {"end/return"}},
};

bool is_row(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return false;
  if (pattern.back() != '*') return pattern == name;
  pattern.remove_suffix(1);
  return name.substr(0, pattern.size()) == pattern;
}
bool is_of(const need& n, const event_cell& c) {
  return std::any_of(n.rows.begin(), n.rows.end(),
                     [&](std::string_view row) { return is_row(row, c.what->name); });
}

struct standing {
  bool asked = false;
  const event_cell* worst = nullptr;  // null: all guaranteed
};
standing standing_of(const matrix_result& r, const need& n, const player& p) {
  standing s;
  for (const event_cell& c : r.cells) {
    if (c.who != &p || !is_of(n, c)) continue;
    s.asked = true;
    if (c.is == word::guaranteed) continue;
    if (s.worst == nullptr || worse(c.is, s.worst->is) == c.is) s.worst = &c;
  }
  return s;
}

std::string sentence(const matrix_result& r, const need& n) {
  std::string use;
  int count = 0;
  const event_cell* why = nullptr;
  for (const player& p : r.players) {
    const standing s = standing_of(r, n, p);
    if (!s.asked) continue;
    if (s.worst == nullptr) {
      use += text(use.empty() ? "" : ", ", p.name);
      ++count;
    } else if (s.worst->is < word::unknown &&
               (why == nullptr || worse(s.worst->is, why->is) != why->is)) {
      why = s.worst;
    }
  }
  if (count == 0) return {};
  std::string all = text("If you need ", n.what, ": use ", use);
  if (why != nullptr) {
    all += text("; because ", cell_name(*why->what, *why->who), " says ", to_string(why->is), " (",
                why->why, ")");
  }
  return all + ".";
}

}  // namespace

std::vector<std::string> matrix_sentences(const matrix_result& r) {
  std::vector<std::string> all;
  for (const need& n : needs) {
    if (std::string s = sentence(r, n); !s.empty()) all.push_back(std::move(s));
  }
  return all;
}

}  // namespace threadref::stress
