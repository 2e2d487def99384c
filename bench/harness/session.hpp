// SPDX-License-Identifier: MIT
// One run of the program: its options, where its threads run, and its results.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bench/harness/options.hpp"
#include "bench/harness/statistics.hpp"
#include "bench/load/idle_threads.hpp"
#include "bench/subjects/subject_code.hpp"
#include "bench/timing/probe.hpp"
#include "scenarios/scenarios.hpp"
#include "testing/check.hpp"
#include "testing/environment.hpp"

namespace threadref::bench {

// The label of a row without figures begins with this; the reason follows.
inline constexpr std::string_view absent_prefix = "absent: ";

// One row of the output: the benchmark behind its name.
struct row {
  scenarios::id key;
  std::string name;
  std::string_view subject;
  row_kind kind = row_kind::back_end;
  int n = 1;
  int pairs = 1;         // samples of the subject, and as many of its floor
  int churn = 0;         // idle threads beside it
  bool is_free = false;  // not pinned, although no other threads run
  std::string_view order = "ok";
};

std::vector<int> allowed_cpus();

class session {
 public:
  session(options asked, testing::environment seen);

  const options asked;
  const testing::environment machine;
  const testing::thread_room room;  // for idle threads
  // How many idle threads a row gets that wants so many: fewer if the system allows no more.
  [[nodiscard]] int possible_threads(int wanted) const noexcept {
    return std::min(wanted, room.threads);
  }
  // The same for the rows with churn.
  [[nodiscard]] int churn_threads() const noexcept {
    const scenarios::size_list& sizes = scenarios::row(scenarios::id::exit_under_churn).threads;
    return possible_threads(asked.smoke ? sizes.smoke() : sizes.real());
  }

  // How many pairs of samples a row takes.
  [[nodiscard]] int pairs(int real) const noexcept {
    return asked.smoke ? std::min(smoke_pairs, real) : real;
  }
  // The CPU that rows without churn are pinned to, or -1.
  [[nodiscard]] int pinned_cpu() const noexcept { return pinned_; }

  // Every scenario first calls one of these. Solo: pinned, with no idle threads.
  void go_solo();
  // On all CPUs, with no idle threads.
  void go_free();
  // On all CPUs, with that many idle threads; they stay for the next such row. False: the system
  // refused to create them.
  bool go_with_idle(int alive);

  // Stores the single samples of a row, sorted, for --samples.
  void store_samples(const row& row, std::string_view what, const samples& sorted);
  void write_samples() const;

  void add_row(row r) { rows_.emplace(r.name, r); }
  [[nodiscard]] const row* find(const std::string& name) const;
  [[nodiscard]] const std::map<std::string, row>& rows() const noexcept { return rows_; }

  // Records that a row found a fault of its subject, or could not be measured.
  void record(const row& row, const verdict& found);
  void not_usable() noexcept { unusable_ = true; }
  [[nodiscard]] bool failed() const noexcept { return !faults_.empty(); }
  [[nodiscard]] bool usable() const noexcept { return !unusable_; }
  // The faults found, by subject.
  [[nodiscard]] const std::map<std::string, verdict>& faults() const noexcept { return faults_; }
  [[nodiscard]] const std::map<std::string, int>& rows_caught() const noexcept { return caught_; }

 private:
  static constexpr int smoke_pairs = 32;
  void place(const std::vector<int>& cpus) const;

  int pinned_ = -1;
  idle_threads bystander_;  // one thread, for the whole run: see README.md, "Method"
  idle_threads idle_;
  std::vector<int> cpus_;
  std::map<std::string, row> rows_;
  std::map<std::string, std::string> samples_;
  std::map<std::string, verdict> faults_;
  std::map<std::string, int> caught_;
  bool unusable_ = false;
};

}  // namespace threadref::bench
