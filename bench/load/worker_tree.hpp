// SPDX-License-Identifier: MIT
// A tree of workers, four levels deep, that is torn down again.
#pragma once

#include <deque>
#include <latch>
#include <vector>

#include "bench/subjects/subject_code.hpp"
#include "bench/timing/probe.hpp"
#include "workers/worker.hpp"

namespace threadref::bench {

// What each worker does between its start and its end.
struct worker_duty {
  const subject_code& subject;
  int n;          // how many finalizers it registers, all of them recorded in its account
  bool waits;     // whether it also registers one that waits
  void (*end)();  // the last call of its task, once it is stopped; null: none
};

class worker_tree {
 public:
  // One worker for each account. Throws std::system_error if the system refuses a thread.
  worker_tree(std::deque<account>& each, workers::teardown how, const worker_duty& duty);
  worker_tree(const worker_tree&) = delete;
  worker_tree& operator=(const worker_tree&) = delete;
  // NOLINTNEXTLINE(bugprone-exception-escape): a worker that can't be joined ends the program
  ~worker_tree();

  // Returns the time from the root's stop() to its join(). Adds what became of the finalizers to
  // `found`.
  instant tear_down(verdict& found);

 private:
  [[nodiscard]] std::size_t parent_of(std::size_t child) const { return (child - 1) / fan_out_; }
  void start(std::size_t index, workers::teardown how);
  void run_task(account& at);

  std::deque<account>& each_;
  const worker_duty duty_;
  const std::size_t fan_out_;
  std::latch registered_;
  std::vector<workers::worker_ptr> all_;  // the root first, then level by level
};

}  // namespace threadref::bench
