// SPDX-License-Identifier: MIT
// Two sides that shall meet within nanoseconds, again and again.
#pragma once

#include <atomic>

namespace threadref::conformance {

// The meeting place of a race's threads: who comes first spins, and so nobody is asleep when the
// race begins.
class starting_line {
 public:
  explicit starting_line(int threads = 2) : expected_(threads) {}
  void arrive();

 private:
  const int expected_;
  std::atomic<int> arrived_{0};
};

// Keeps a race close: whoever won waits a little longer the next time. So both outcomes are seen
// on any machine and under any sanitizer, without a delay that somebody tuned on his own.
class balance {
 public:
  // Called by each side right after the starting line.
  void delay_first() const;
  void delay_second() const;
  // After each round, with both sides at rest.
  void record(int first, int second);
  // Has one side won all of many rounds? Then something is broken, and more rounds won't tell.
  [[nodiscard]] bool is_hopeless() const;
  // Fails unless each side won at least 1 % of what there was to win.
  void expect_both(const char* first, const char* second) const;

 private:
  int skew_ = 0;  // steps of the first side's delay; negative: of the second's
  int step_ = 256;
  bool first_won_last_ = false;
  int rounds_ = 0;
  int first_ = 0;
  int second_ = 0;
};

}  // namespace threadref::conformance
