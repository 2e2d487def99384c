// SPDX-License-Identifier: MIT
// Tears down a tree of workers both ways: root has the children a and c, a has the child b. Each
// has one finalizer; a child's runs before its parent's.
#include <absl/cleanup/cleanup.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <cstdio>
#include <latch>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "threadref/finalize.hpp"
#include "workers/this_worker.hpp"
#include "workers/worker.hpp"

using namespace threadref::workers;  // NOLINT: an example

namespace {

// What happened to which worker, in order.
class trace {
 public:
  void add(const std::string& name, std::string what) {
    const std::lock_guard lock(m_);
    steps_[name].push_back(what);
    order_.push_back(name + ' ' + std::move(what));
  }
  [[nodiscard]] std::string steps_of(const std::string& name) const {
    return absl::StrJoin(steps_.at(name), ", ");
  }
  // The ends of tasks and the finalizers.
  [[nodiscard]] std::string ends() const {
    std::vector<std::string> found;
    std::copy_if(order_.begin(), order_.end(), std::back_inserter(found), is_end);
    return absl::StrJoin(found, ", ");
  }
  [[nodiscard]] bool in_order(const std::string& first, const std::string& second) const {
    return std::find(order_.begin(), order_.end(), first) <
           std::find(order_.begin(), order_.end(), second);
  }

 private:
  static bool is_end(const std::string& step) {
    return step.ends_with(" task_ended") || step.ends_with(" finalized");
  }
  std::mutex m_;
  std::map<std::string, std::vector<std::string>> steps_;
  std::vector<std::string> order_;
};

struct tree {
  explicit tree(teardown how) : policy(how) {}

  worker_ptr grow(const std::string& name) {
    return this_worker::create_worker(
        [this, name] {
          threadref::finalize([this, name] { seen.add(name, "finalized"); });
          if (name == "root") grow("a"), grow("c");
          if (name == "a") grow("b");
          const absl::Cleanup unwound = [&] {
            // All of them get here only if all are stopped before the first one is joined.
            if (policy == teardown::broadcast && name != "root") stopped.arrive_and_wait();
          };
          grown.count_down();
          this_worker::wait_forever();
        },
        {.name = name, .children = policy, .on_step = [this, name](exit_step step) {
           seen.add(name, std::string(name_of(step)));
         }});
  }

  const teardown policy;
  trace seen;
  std::latch grown{4};
  std::latch stopped{3};
};

void tear_down(teardown policy) {
  tree of(policy);
  const worker_ptr root = of.grow("root");
  of.grown.wait();
  root->stop().join();
  std::printf("  root: %s\n", of.seen.steps_of("root").c_str());
  if (policy == teardown::serial) {
    std::printf("  in turn: %s\n", of.seen.ends().c_str());
  } else {
    std::printf("  side by side: a, b and c were all stopped before the first was joined\n");
  }
  const bool children_first = of.seen.in_order("b finalized", "a finalized") &&
                              of.seen.in_order("a finalized", "root finalized") &&
                              of.seen.in_order("c finalized", "root finalized");
  std::printf("  children before their parents: %s\n", children_first ? "yes" : "no");
}

}  // namespace

int main() {
  std::printf("serial\n");
  tear_down(teardown::serial);
  std::printf("broadcast\n");
  tear_down(teardown::broadcast);
}
