// SPDX-License-Identifier: MIT
// A tree of workers, four deep, that is torn down again.
#pragma once

#include <deque>
#include <latch>
#include <vector>

#include "bench/subjects/subject_code.hpp"
#include "bench/timing/probe.hpp"
#include "workers/worker.hpp"

namespace threadref::bench {

// What a worker does on its thread, between the two.
struct worker_duty {
  const subject_code& subject;
  int n;          // how many finalizers it registers; the account is opened for so many
  bool waits;     // and one more, that waits
  void (*end)();  // its task's last statement, once it is stopped; null: nothing
};

class tree {
 public:
  // A worker for each account. Throws std::system_error where the system gives no more threads.
  tree(std::deque<account>& each, workers::teardown how, const worker_duty& duty);
  tree(const tree&) = delete;
  tree& operator=(const tree&) = delete;
  // NOLINTNEXTLINE(bugprone-exception-escape): a worker that can't be joined ends the program
  ~tree();

  // From the root's stop() to its join(). Adds what became of the finalizers.
  instant tear_down(verdict& found);

 private:
  [[nodiscard]] std::size_t parent_of(std::size_t child) const { return (child - 1) / fan_out_; }
  void start(std::size_t index, workers::teardown how);
  void live(account& at);

  std::deque<account>& each_;
  const worker_duty duty_;
  const std::size_t fan_out_;
  std::latch settled_;
  std::vector<workers::worker_ptr> all_;  // the root first, then level by level
};

}  // namespace threadref::bench
