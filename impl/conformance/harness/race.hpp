// SPDX-License-Identifier: MIT
// Makes two sides meet within nanoseconds, again and again.
#pragma once

#include <atomic>

namespace threadref::conformance {

// Where the threads of a race meet. Those that arrive early spin for some 50 us, so that usually
// none sleeps when the race begins.
class starting_line {
 public:
  explicit starting_line(int threads = 2) : expected_(threads) {}
  void arrive();

 private:
  const int expected_;
  std::atomic<int> arrived_{0};
};

// Keeps a race close: the winner waits a little longer the next time. So both outcomes occur on any
// machine and under any sanitizer, without a delay tuned for one machine.
class balance {
 public:
  // Each side calls its own right after the starting line.
  void delay_first() const;
  void delay_second() const;
  // After each round, with both sides at rest.
  void record(int first, int second);
  // Has one side won all of many rounds? Then something is broken, and more rounds won't help.
  [[nodiscard]] bool is_hopeless() const;
  // Fails unless each side won at least 1 % of the cases.
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
