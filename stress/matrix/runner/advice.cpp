// SPDX-License-Identifier: MIT
#include "stress/matrix/runner/advice.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "testing/text.hpp"

namespace threadref::stress {

namespace {

// What people need, and the rows that must all be guaranteed then. A name may end in a star.
struct need {
  std::string_view what;  // completes "If you need ..."
  std::array<std::string_view, 6> rows;
};
constexpr need needs[] = {
    {"callbacks however a thread ends: by return, exception, pthread_exit or cancellation",
     {"end/return", "end/caught_exception", "end/pthread_exit", "cancel/*"}},
    {"those too that are registered while the thread ends already",
     {"late/in_callback", "late/thread_local", "late/foreign_key", "cross/*"}},
    {"main's callbacks when the process ends, whoever calls exit()",
     {"process/main_returns", "process/main_calls_exit", "process/worker_calls_exit",
      "process/callback_registers_another"}},
    {"one callback's failure not to cost the others",
     {"error/callback_throws", "end/pthread_exit_in_callback", "cancel/in_callback"}},
    {"a plugin that uses it to be unloaded, again and again",
     {"unload/plugin", "unload/again_and_again"}},
};

bool matches(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return false;
  if (pattern.back() != '*') return pattern == name;
  pattern.remove_suffix(1);
  return name.substr(0, pattern.size()) == pattern;
}
bool concerns(const need& n, const event_cell& c) {
  return std::any_of(n.rows.begin(), n.rows.end(),
                     [&](std::string_view row) { return matches(row, c.what->name); });
}

struct result_of_need {
  bool asked = false;
  const event_cell* worst = nullptr;  // null: all guaranteed
};
result_of_need result_of(const matrix_result& r, const need& n, const participant& p) {
  result_of_need s;
  for (const event_cell& c : r.cells) {
    if (c.subject->name != p.name || !concerns(n, c)) continue;
    s.asked = true;
    if (c.is == outcome::guaranteed) continue;
    if (s.worst == nullptr || worse(c.is, s.worst->is) == c.is) s.worst = &c;
  }
  return s;
}

// "peer_vector, peer_key_list or any back end"
std::string name_choice(const std::vector<const participant*>& good, std::size_t back_ends) {
  std::vector<std::string_view> names;
  std::size_t contract = 0;
  for (const participant* p : good) contract += p->contract != nullptr ? 1 : 0;
  for (const participant* p : good) {
    if (p->contract == nullptr || contract != back_ends) names.push_back(p->name);
  }
  if (contract == back_ends) names.emplace_back("any back end");
  std::string all;
  for (std::size_t i = 0; i != names.size(); ++i)
    all += testing::concat(i == 0 ? "" : i + 1 == names.size() ? " or " : ", ", names[i]);
  return all;
}

std::string advise(const matrix_result& r, const need& n) {
  std::vector<const participant*> good;
  std::size_t back_ends = 0;
  const event_cell* why = nullptr;
  for (const participant& p : r.participants) {
    const result_of_need s = result_of(r, n, p);
    if (!s.asked) continue;
    back_ends += p.contract != nullptr ? 1 : 0;
    if (s.worst == nullptr) {
      good.push_back(&p);
    } else if (is_seen(s.worst->is) && (why == nullptr || worse(s.worst->is, why->is) != why->is)) {
      why = s.worst;
    }
  }
  if (good.empty()) return {};
  std::string all = testing::concat("If you need ", n.what, ": use ", name_choice(good, back_ends));
  if (why != nullptr) {
    all += testing::concat("; because `", cell_name(*why->what, *why->subject), "` says ",
                           why->why.empty() ? to_string(why->is) : std::string_view(why->why));
  }
  return all + ".";
}

}  // namespace

std::vector<std::string> matrix_advice(const matrix_result& r) {
  std::vector<std::string> all;
  for (const need& n : needs) {
    if (std::string s = advise(r, n); !s.empty()) all.push_back(std::move(s));
  }
  return all;
}

}  // namespace threadref::stress
