// SPDX-License-Identifier: MIT
#include "stress/matrix/runner/cell.hpp"

#include <algorithm>

#include "testing/text.hpp"
#include "threadref/config.hpp"

namespace threadref::stress {

namespace {

// What has no module loaded yet can't be asked; the rest is known before.
const mechanism* known_mechanism(const participant& p) {
  return p.canary ? canary_mechanism(p.name) : backend_mechanism(p.name);
}

// "lost: std::thread, std::async (3 of 5 trials)": the conditions of one word, and why.
std::string clause(const event_cell& c, word w, bool name_conditions) {
  std::string names;
  std::string why;
  for (const condition_result& r : c.conditions) {
    if (r.is != w) continue;
    if (name_conditions) names += testing::concat(names.empty() ? "" : ", ", r.name);
    if (why.empty() && w != word::guaranteed) why = r.why;
    if (r.trials_so != r.trials)
      why += testing::concat(why.empty() ? "" : ", ", r.trials_so, " of ", r.trials, " trials");
  }
  std::string all(to_string(w));
  if (!names.empty()) all += testing::concat(": ", names);
  if (!why.empty()) all += testing::concat(" (", why, ")");
  return all;
}

std::string explain(const event_cell& c) {
  std::string all;
  const bool differ = std::any_of(c.conditions.begin(), c.conditions.end(),
                                  [&c](const auto& r) { return r.is != c.conditions[0].is; });
  for (int w = 0; w != static_cast<int>(std::size(word_names)); ++w) {
    const auto is = static_cast<word>(w);
    const bool has = std::any_of(c.conditions.begin(), c.conditions.end(),
                                 [is](const condition_result& r) { return r.is == is; });
    if (has) all += testing::concat(all.empty() ? "" : "; ", clause(c, is, differ));
  }
  return all == to_string(c.is) ? std::string{} : all;
}

// A promise to be refused at worst is kept by running it.
bool is_kept(word promise, word is) {
  return is == promise || is == word::absent ||
         (promise == word::refused && is == word::guaranteed);
}

verdict judge(event_cell& c) {
  if (c.is == word::absent || c.is == word::not_applicable) return verdict::passed;
  const bool unknown = std::any_of(c.conditions.begin(), c.conditions.end(),
                                   [](const condition_result& r) { return r.is == word::unknown; });
  if (unknown) return verdict::unknown;
  if (c.subject->contract == nullptr) return verdict::passed;
  if (const deviation* const d = declared_deviation(c)) {
    c.promise = d->outcome;
    return c.promise == to_string(c.is) ? verdict::passed : verdict::failed;
  }
  c.promise = to_string(c.what->promise);
  const bool kept = std::all_of(c.conditions.begin(), c.conditions.end(),
                                [&](const auto& r) { return is_kept(c.what->promise, r.is); });
  return kept ? verdict::passed : verdict::failed;
}

}  // namespace

const deviation* declared_deviation(const event_cell& c) {
  const backend_info* const b = c.subject->contract;
  return b == nullptr ? nullptr : scenarios::find_deviation(*b, c.what->name);
}

std::string cell_name(const event& e, const participant& p) {
  return testing::concat(e.name, "/", p.name);
}

std::string_view why_not_run(const event& e, const participant& p, const mechanism* m) {
  if (!p.why_absent.empty()) return p.why_absent;
  if (detail::under_tsan && !e.not_under_tsan.empty()) return e.not_under_tsan;
  if (detail::under_asan && !e.not_under_asan.empty()) return e.not_under_asan;
  return e.why_not != nullptr && m != nullptr ? e.why_not(*m) : std::string_view{};
}

void sum_up(event_cell& c) {
  word worst = word::guaranteed;
  bool good = false;
  bool bad = false;
  bool ran = false;
  for (const condition_result& r : c.conditions) {
    if (r.is == word::absent) continue;
    ran = true;
    worst = worse(worst, r.is);
    (r.is == word::guaranteed ? good : bad) = true;
  }
  c.is = !ran ? word::absent : good && bad ? word::conditional : worst;
  if (c.is != word::guaranteed) c.why = explain(c);
  c.judged = judge(c);
}

std::vector<event_cell> select_events(const options& o,
                                      const std::vector<participant>& participants) {
  const pattern wanted(o.filter.empty() ? "." : o.filter);
  std::vector<event_cell> chosen;
  for_each_event([&](const event& e) {
    // Slow ones are for the night, unless somebody asks for them by name.
    if (e.slow && o.smoke && o.filter.empty()) return;
    for (const participant& p : participants) {
      if (!o.backend.empty() && p.name != o.backend) continue;
      if (!wanted.found_in(cell_name(e, p))) continue;
      event_cell c;
      c.what = &e;
      c.subject = &p;
      // A peer's module would have to be loaded to be asked: it has none of what events need.
      static constexpr mechanism bare{};
      const mechanism* const m = p.contract == nullptr ? &bare : known_mechanism(p);
      if (const std::string_view why = why_not_run(e, p, m); !why.empty()) {
        c.is = p.why_absent.empty() ? word::not_applicable : word::absent;
        c.why = why;
        c.judged = verdict::passed;
      }
      chosen.push_back(std::move(c));
    }
  });
  return chosen;
}

}  // namespace threadref::stress
