// SPDX-License-Identifier: MIT
#include "bench/harness/progress.hpp"

#include <regex.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace threadref::bench {

namespace {

constexpr double nanosecond = 1e-9;
constexpr instant between_lines = 15'000'000'000;  // if lines can't be overwritten

// In seconds on some machine: only the ratio between rows of the same kind matters.
double expected_seconds(const row& r) {
  return r.pairs * (30e-6 + r.n * 20e-9);
}

class name_filter {
 public:
  explicit name_filter(std::string_view text) : excludes_(!text.empty() && text.front() == '-') {
    if (excludes_) text.remove_prefix(1);
    is_valid_ = regcomp(&compiled_, std::string(text).c_str(), REG_EXTENDED | REG_NOSUB) == 0;
  }
  name_filter(const name_filter&) = delete;
  name_filter& operator=(const name_filter&) = delete;
  ~name_filter() {
    if (is_valid_) regfree(&compiled_);
  }
  [[nodiscard]] bool selects(const std::string& name) const {
    return is_valid_ && (regexec(&compiled_, name.c_str(), 0, nullptr, 0) == 0) != excludes_;
  }

 private:
  regex_t compiled_{};
  bool excludes_;
  bool is_valid_;
};

std::string to_text(double seconds) {
  const long whole = std::lround(seconds);
  return whole < 120 ? std::to_string(whole) + " s" : std::to_string((whole + 30) / 60) + " min";
}

}  // namespace

progress::progress(const session& session, const std::string& filter)
    : is_terminal_(isatty(STDERR_FILENO) != 0 && isatty(STDOUT_FILENO) != 0) {
  const bool is_all = filter.empty() || filter == "all";
  const name_filter wanted(is_all ? "." : filter);
  for (const auto& [name, r] : session.rows()) {
    if (wanted.selects(name)) rows_.push_back(&r);
  }
}

void progress::show() {
  if (rows_.empty()) return;
  const instant at = now();
  if (!is_terminal_ && ended_ != 0 && at - last_line_ < between_lines) return;
  last_line_ = at;
  std::fprintf(stderr, "%s%zu of %zu rows, about %s left%s", is_terminal_ ? "\r\033[K" : "", ended_,
               ended_ + rows_.size(), to_text(seconds_left()).c_str(), is_terminal_ ? "" : "\n");
  is_shown_ = is_terminal_;
}

void progress::clear() {
  if (is_shown_) std::fputs("\r\033[K", stderr);
  is_shown_ = false;
}

void progress::ended(const row& one) {
  const instant at = now();
  const double expected = expected_seconds(one);
  const double taken = static_cast<double>(at - last_end_) * nanosecond;
  last_end_ = at;
  for (pace* p : {&paces_[one.key], &all_}) {
    p->expected += expected;
    p->taken += taken;
  }
  ++ended_;
  const auto found = std::find(rows_.begin(), rows_.end(), &one);
  if (found != rows_.end()) rows_.erase(found);
}

double progress::seconds_left() const {
  double left = 0;
  for (const row* r : rows_) {
    const auto known = paces_.find(r->key);
    const pace& p = known != paces_.end() ? known->second : all_;
    left += expected_seconds(*r) * (ended_ == 0 ? 1 : p.taken / p.expected);
  }
  return left;
}

}  // namespace threadref::bench
