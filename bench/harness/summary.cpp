// SPDX-License-Identifier: MIT
#include "bench/harness/summary.hpp"

#include <absl/strings/match.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <string_view>

#include "bench/baselines/floors/floor_empty_thread.hpp"
#include "testing/text.hpp"
#include "threadref/backends.hpp"

namespace threadref::bench {

namespace {

using scenarios::id;

// Memory layout differs from process to process, so smaller differences count as equal.
constexpr double as_good_as = 1.05;

struct column {
  std::string_view title;
  std::string_view unit;
  id key;
  int n;
  const char* counter;
};
constexpr column columns[] = {
    {"first", "ns", id::first_registration, 1, "ns"},
    {"register", "256: ns each", id::registration, 256, "ns"},
    {"exit 16", "drain p50", id::exit_solo, 16, "p50"},
    {"exit 256", "ns each", id::exit_solo, 256, "ns"},
    {"churn", "drain p50", id::exit_under_churn, 0, "p50"},
    {"churn", "drain p99", id::exit_under_churn, 0, "p99"},
    {"churn", "total x floor", id::exit_under_churn, 0, "total_ratio"},
};

class figures_of_run {
 public:
  explicit figures_of_run(const std::vector<result>& results) : results_(results) {
    for (const result& r : results) {
      const auto is_it = [&r](const row* known) { return known->subject == r.of->subject; };
      if (is_shown(r) && std::none_of(subjects_.begin(), subjects_.end(), is_it))
        subjects_.push_back(r.of);
    }
    std::stable_sort(subjects_.begin(), subjects_.end(),
                     [](const row* a, const row* b) { return rank(*a) < rank(*b); });
  }

  // One row for each subject, back ends first, floors last.
  [[nodiscard]] const std::vector<const row*>& subjects() const { return subjects_; }

  // n = 0: any n that was measured.
  [[nodiscard]] const result* find(std::string_view subject, id key, int n) const {
    for (const result& r : results_) {
      if (r.of->kind != row_kind::pair && r.of->subject == subject && r.of->key == key &&
          (n == 0 || r.of->n == n))
        return &r;
    }
    return nullptr;
  }
  // -1 if it was not measured.
  [[nodiscard]] double value(std::string_view subject, id key, int n,
                             const char* counter = "ns") const {
    const result* const r = find(subject, key, n);
    return r != nullptr && r->error.empty() ? r->value(counter) : -1;
  }
  [[nodiscard]] double best(const column& c) const {
    double least = std::numeric_limits<double>::infinity();
    for (const row* s : subjects_) {
      const double v = value(s->subject, c.key, c.n, c.counter);
      if (s->kind != row_kind::floor && v >= 0) least = std::min(least, v);
    }
    return least;
  }

 private:
  // Whether a column shows the result. Some floors belong to other rows.
  static bool is_shown(const result& r) {
    if (r.of->kind == row_kind::pair) return false;
    return std::any_of(std::begin(columns), std::end(columns), [&r](const column& c) {
      return r.of->key == c.key && (c.n == 0 || r.of->n == c.n);
    });
  }
  static int rank(const row& r) {
    return r.kind == row_kind::back_end ? 0 : r.kind == row_kind::peer ? 1 : 2;
  }
  const std::vector<result>& results_;
  std::vector<const row*> subjects_;
};

// A summary of the trace of a subject.
std::string order_of(const figures_of_run& figures, const row& s) {
  const result* const r = figures.find(s.subject, id::ordering, 0);
  if (s.kind == row_kind::floor) return "-";
  for (const id key : {id::registration, id::first_registration, id::exit_solo,
                       id::exit_under_churn, id::ordering}) {
    const result* const other = figures.find(s.subject, key, 0);
    if (other != nullptr && !other->error.empty()) return "BROKEN: " + other->error;
  }
  if (r == nullptr) return "-";
  if (r->label.starts_with(absent_prefix)) return r->label.substr(absent_prefix.size());
  if (r->label.find("finalizers 1,2") != std::string::npos) return "oldest first";
  const std::size_t finalizers = r->label.find("finalizers 2,1");
  const std::size_t older = r->label.find("older");
  if (finalizers == std::string::npos) return "ok, each among thread_locals";
  return finalizers < older ? "ok, before older thread_locals" : "ok, after all thread_locals";
}

// How much longer a whole thread takes than one that makes the calls itself: the range over all
// back ends, or nothing if that was not measured.
std::string excess_of_life(const figures_of_run& figures, int n) {
  double least = std::numeric_limits<double>::infinity();
  double most = -least;
  for (const row* s : figures.subjects()) {
    if (s->kind != row_kind::back_end) continue;
    const double ratio = figures.value(s->subject, id::exit_solo, n, "life_ratio");
    if (ratio < 0) return {};
    least = std::min(least, ratio - 1);
    most = std::max(most, ratio - 1);
  }
  if (most < least) return {};
  return absl::StrFormat("%.1f to %.1f %%", 100 * least, 100 * most);
}

std::string share_of_life(const figures_of_run& figures) {
  const double life = figures.value(floor_empty_thread::name, id::exit_solo, 0);
  const std::string one = excess_of_life(figures, 1);
  const std::string sixteen = excess_of_life(figures, 16);
  if (life < 0 || one.empty() || sixteen.empty()) return {};
  return absl::StrFormat(
      "For 1 to 4 finalizers the mechanism hardly matters: an empty thread takes %.1f us from its "
      "creation to its join. With one finalizer a thread takes, depending on the back end, %s "
      "longer than one that makes the call itself, with 16 finalizers %s.\n",
      life / 1000, one, sixteen);
}

std::string what_to_use(const figures_of_run& figures) {
  std::vector<std::string> early;
  std::string best;
  double least = std::numeric_limits<double>::infinity();
  double own = -1;
  for (const row* s : figures.subjects()) {
    if (s->kind != row_kind::back_end) continue;
    const double add = figures.value(s->subject, id::registration, 256);
    const double drain = figures.value(s->subject, id::exit_solo, 256);
    if (add < 0 || drain < 0) return {};
    if (s->subject == default_backend::info.name) own = add + drain;
    if (add + drain < least) {
      least = add + drain;
      best = std::string(s->subject);
    }
    if (absl::StrContains(order_of(figures, *s), "before older")) early.emplace_back(s->subject);
  }
  if (best.empty() || own < 0) return {};
  std::string text = absl::StrFormat(
      "Use the default, %s%s: it takes %.1f ns to register and run each of 256",
      default_backend::info.name,
      early.empty()
          ? ""
          : testing::concat(", unless finalizers need thread_locals that are older than the first "
                            "finalizer; then ",
                            testing::listed(early, " or ")),
      own);
  absl::StrAppend(&text, own <= least * as_good_as
                             ? ", and no back end here is clearly faster.\n"
                             : absl::StrFormat("; %s takes %.1f ns.\n", best, least));
  return text;
}

}  // namespace

std::string figure(double value, int width) {
  if (value < 0) return absl::StrFormat("%*s", width, "-");
  const int decimals = value < 10 ? 2 : value < 100 ? 1 : 0;
  return absl::StrFormat("%*.*f", width, decimals, value);
}

std::string teardowns(const std::vector<result>& results, bool smoke) {
  std::string text;
  for (const result& r : results) {
    if (smoke || r.of->subject != default_backend::info.name || r.value("serial_ratio") < 0)
      continue;
    absl::StrAppend(&text,
                    absl::StrFormat("A tree of %d workers%s, all stopped at once, takes %.2f (%.2f "
                                    "to %.2f) of the time that it takes one by one.\n",
                                    r.of->n,
                                    r.of->key == id::teardown_broadcast_waiting
                                        ? ", a finalizer of each waiting for 200 us"
                                        : "",
                                    r.value("serial_ratio"), r.value("serial_ratio_low"),
                                    r.value("serial_ratio_high")));
  }
  return text;
}

std::string closing_table(const std::vector<result>& results, bool smoke) {
  const figures_of_run figures(results);
  if (smoke || figures.subjects().size() < 2) return {};
  std::string text = absl::StrFormat("%-26s", "");
  for (const column& c : columns) absl::StrAppend(&text, absl::StrFormat("%14s", c.title));
  absl::StrAppend(&text, "\n", absl::StrFormat("%-26s", "ns; * best within 5 %"));
  for (const column& c : columns) absl::StrAppend(&text, absl::StrFormat("%14s", c.unit));
  absl::StrAppend(&text, "  order\n");
  for (const row* s : figures.subjects()) {
    absl::StrAppend(&text, absl::StrFormat("%-26s", s->subject));
    for (const column& c : columns) {
      const double v = figures.value(s->subject, c.key, c.n, c.counter);
      const bool is_best =
          s->kind != row_kind::floor && v >= 0 && v <= figures.best(c) * as_good_as;
      absl::StrAppend(&text, figure(v, 13), is_best ? "*" : " ");
    }
    absl::StrAppend(&text, " ", order_of(figures, *s), "\n");
  }
  absl::StrAppend(&text, "\n", share_of_life(figures), what_to_use(figures));
  return text;
}

}  // namespace threadref::bench
