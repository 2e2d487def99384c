// SPDX-License-Identifier: MIT
#include "stress/matrix/runner/cell.hpp"

#include <algorithm>

#include "testing/text.hpp"
#include "threadref/config.hpp"

namespace threadref::stress {

namespace {

// A peer is known only when its module is loaded; the others are known before.
const mechanism* known_mechanism(const participant& p) {
  return p.canary ? canary_mechanism(p.name) : backend_mechanism(p.name);
}

bool conditions_differ(const event_cell& c) {
  return std::any_of(c.conditions.begin(), c.conditions.end(),
                     [&c](const auto& r) { return r.is != c.conditions[0].is; });
}

// "lost: std::thread, std::async (3 of 5 trials)": the conditions with one outcome, if conditions
// differ, and why.
std::string clause(const event_cell& c, outcome o) {
  const bool name_conditions = conditions_differ(c);
  std::string names;
  std::string why;
  for (const condition_result& r : c.conditions) {
    if (r.is != o) continue;
    if (name_conditions) names += testing::concat(names.empty() ? "" : ", ", r.name);
    if (why.empty() && o != outcome::guaranteed) why = r.why;
    if (r.trials_so != r.trials)
      why += testing::concat(why.empty() ? "" : ", ", r.trials_so, " of ", r.trials, " trials");
  }
  std::string all(to_string(o));
  if (!names.empty()) all += testing::concat(": ", names);
  if (!why.empty()) all += testing::concat(" (", why, ")");
  return all;
}

std::string explain(const event_cell& c) {
  std::string all;
  for (int i = 0; i != static_cast<int>(std::size(outcome_names)); ++i) {
    const auto is = static_cast<outcome>(i);
    const bool has = std::any_of(c.conditions.begin(), c.conditions.end(),
                                 [is](const condition_result& r) { return r.is == is; });
    if (has) all += testing::concat(all.empty() ? "" : "; ", clause(c, is));
  }
  return all == to_string(c.is) ? std::string{} : all;
}

// A callback that may be refused may also run.
bool fulfils(outcome is, outcome promise) {
  return is == promise || is == outcome::absent ||
         (promise == outcome::refused && is == outcome::guaranteed);
}

verdict judge(event_cell& c) {
  if (c.is == outcome::absent || c.is == outcome::not_applicable) return verdict::passed;
  const bool unknown =
      std::any_of(c.conditions.begin(), c.conditions.end(),
                  [](const condition_result& r) { return r.is == outcome::unknown; });
  if (unknown) return verdict::unknown;
  if (c.subject->contract == nullptr) return verdict::passed;
  if (const deviation* const d = declared_deviation(c)) {
    c.promise = d->outcome;
    return c.promise == to_string(c.is) ? verdict::passed : verdict::failed;
  }
  c.promise = to_string(c.what->promise);
  const bool all = std::all_of(c.conditions.begin(), c.conditions.end(),
                               [&](const auto& r) { return fulfils(r.is, c.what->promise); });
  return all ? verdict::passed : verdict::failed;
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
  outcome worst = outcome::guaranteed;
  bool good = false;
  bool bad = false;
  for (const condition_result& r : c.conditions) {
    if (r.is == outcome::absent) continue;
    worst = worse(worst, r.is);
    (r.is == outcome::guaranteed ? good : bad) = true;
  }
  c.is = worst;
  if (good && bad) c.is = outcome::conditional;
  if (!good && !bad) c.is = outcome::absent;
  if (c.is != outcome::guaranteed) c.why = explain(c);
  c.judged = judge(c);
}

std::vector<event_cell> select_events(const options& o,
                                      const std::vector<participant>& participants) {
  const pattern wanted(o.filter.empty() ? "." : o.filter);
  std::vector<event_cell> chosen;
  for_each_event([&](const event& e) {
    // Slow events are for the nightly run, unless a filter asks for them.
    if (e.slow && o.smoke && o.filter.empty()) return;
    for (const participant& p : participants) {
      if (!o.backend.empty() && p.name != o.backend) continue;
      if (!wanted.found_in(cell_name(e, p))) continue;
      event_cell c;
      c.what = &e;
      c.subject = &p;
      // A peer's module is not loaded here. Peers have nothing optional that events need.
      static constexpr mechanism bare{};
      const mechanism* const m = p.contract == nullptr ? &bare : known_mechanism(p);
      if (const std::string_view why = why_not_run(e, p, m); !why.empty()) {
        c.is = p.why_absent.empty() ? outcome::not_applicable : outcome::absent;
        c.why = why;
        c.judged = verdict::passed;
      }
      chosen.push_back(std::move(c));
    }
  });
  return chosen;
}

}  // namespace threadref::stress
