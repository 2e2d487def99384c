// SPDX-License-Identifier: MIT
#include "bench/load/worker_tree.hpp"

#include <absl/cleanup/cleanup.h>

#include <cstddef>

#include "workers/this_worker.hpp"

namespace threadref::bench {

namespace {

// The smallest fan-out with which so many workers fit into four levels.
std::size_t fan_out_for(std::size_t workers) {
  std::size_t b = 1;
  while (1 + b + b * b + b * b * b < workers) ++b;
  return b;
}

}  // namespace

worker_tree::worker_tree(std::deque<account>& each, workers::teardown how, const worker_duty& duty)
    : each_(each),
      duty_(duty),
      fan_out_(fan_out_for(each.size())),
      registered_(static_cast<std::ptrdiff_t>(each.size())) {
  const absl::Cleanup stop_started = [this] {
    if (all_.size() != each_.size() && !all_.empty()) all_.front()->stop().join();
  };
  for (std::size_t i = 0; i != each_.size(); ++i) start(i, how);
  registered_.wait();
}

worker_tree::~worker_tree() {  // NOLINT(bugprone-exception-escape): see the header
  all_.front()->stop().join();
}

void worker_tree::start(std::size_t index, workers::teardown how) {
  account& at = each_[index];
  at.open(duty_.n);
  workers::worker_options options;
  options.parent = index == 0 ? nullptr : all_[parent_of(index)];
  options.children = how;
  workers::worker_ptr made =
      workers::worker::make([this, &at] { run_task(at); }, std::move(options));
  made->start();
  all_.push_back(std::move(made));
}

void worker_tree::run_task(account& at) {
  duty_.subject.register_range(at.done, 0, duty_.n);
  if (duty_.waits) duty_.subject.add_waiting();
  const absl::Cleanup last = [this] {
    if (duty_.end != nullptr) duty_.end();
  };
  registered_.count_down();
  workers::this_worker::wait_forever();
}

instant worker_tree::tear_down(verdict& found) {
  workers::worker& root = *all_.front();
  const instant before = now();
  root.stop().join();
  const instant whole = now() - before;
  for (std::size_t i = 0; i != each_.size(); ++i) {
    found.add(each_[i].judge());
    // Only the last finalizers are compared: a child's must come before its parent's. A scenario of
    // stress_threadref checks all of them.
    if (i != 0 && each_[i].done.end > each_[parent_of(i)].done.end) ++found.misordered;
  }
  return whole;
}

}  // namespace threadref::bench
