// SPDX-License-Identifier: MIT
#include "conformance/harness/race.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "testing/brief_pause.hpp"

namespace threadref::conformance {

namespace {

constexpr int step_max = 1 << 16;
constexpr int hopeless_rounds = 300;
constexpr int skew_max = 1 << 20;
constexpr int spins_max = 1 << 15;

// Takes some nanoseconds a step, and is not optimised away. Where it gets long it sleeps, since
// with fewer cores than threads the other side can't win while this one holds its core. It does not
// yield: on a busy machine each yield costs a time slice, a sleep only its length.
void spin(int steps) {
  std::atomic<int> done{0};
  int sleeps_at = 1 << 16;
  while (done.load(std::memory_order_relaxed) < steps) {
    done.store(done.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (done.load(std::memory_order_relaxed) == sleeps_at) {
      sleeps_at *= 2;
      testing::brief_pause();
    }
  }
}

}  // namespace

void starting_line::arrive() {
  int arrived = arrived_.fetch_add(1) + 1;
  if (arrived == expected_) arrived_.notify_all();
  // Spinning longer would keep the last ones from arriving, where they need this thread's core.
  for (int i = 0; arrived < expected_ && i < spins_max; ++i) arrived = arrived_.load();
  for (; arrived < expected_; arrived = arrived_.load()) arrived_.wait(arrived);
}

void balance::delay_first() const {
  spin(std::max(skew_, 0));
}
void balance::delay_second() const {
  spin(std::max(-skew_, 0));
}

void balance::record(int first, int second) {
  ++rounds_;
  first_ += first;
  second_ += second;
  const bool first_won = first > second;
  const bool again = first_won == first_won_last_;
  first_won_last_ = first_won;
  step_ = std::clamp(again ? step_ * 2 : step_ / 2, 1, step_max);
  skew_ = std::clamp(skew_ + (first_won ? step_ : -step_), -skew_max, skew_max);
}

bool balance::is_hopeless() const {
  return rounds_ >= hopeless_rounds && (first_ == 0 || second_ == 0);
}

void balance::expect_both(const char* first, const char* second) const {
  const int enough = std::max((first_ + second_) / 100, 1);
  EXPECT_GE(first_, enough) << first << ": too rarely in " << first_ + second_ << " cases";
  EXPECT_GE(second_, enough) << second << ": too rarely in " << first_ + second_ << " cases";
}

}  // namespace threadref::conformance
