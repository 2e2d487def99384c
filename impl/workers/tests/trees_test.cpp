// SPDX-License-Identifier: MIT
// Thousands of workers at once.
#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "testing/scale.hpp"
#include "workers/tests/fixture.hpp"

namespace threadref::workers {
namespace {

// Ten trees, four levels deep: 11,110 workers, or 850 under a sanitizer, where threads cost much
// more.
constexpr int trees_at_once = 10;
constexpr int depth = 4;
constexpr int fan_out = testing::under_sanitizer || detail::under_memcheck ? 4 : 10;

// A worker's finalizer: how often it ran, and whether all of its children's had run before.
struct node {
  std::vector<std::unique_ptr<node>> below;
  std::atomic<int> ran{0};
  bool children_first = true;
};

class forest {
 public:
  explicit forest(teardown policy) : policy_(policy) {}
  void grow() {
    for (int i = 0; i != trees_at_once; ++i) {
      tops_.push_back(std::make_unique<node>());
      started_.push_back(plant(*tops_.back(), 1));
    }
  }
  void end() {
    for (const worker_ptr& one : started_) one->stop();
    for (const worker_ptr& one : started_) one->join();
  }
  [[nodiscard]] int alive() const { return alive_; }
  // How many ran once and after those of their children.
  [[nodiscard]] int in_order() const { return in_order(tops_); }

 private:
  worker_ptr plant(node& at, int level) {
    if (level != depth) {
      for (int i = 0; i != fan_out; ++i) at.below.push_back(std::make_unique<node>());
    }
    worker_options how;
    how.children = policy_;
    return this_worker::create_worker(
        [this, &at, level] {
          finalize([&at] {
            for (const auto& one : at.below) at.children_first &= one->ran == 1;
            ++at.ran;
          });
          for (const auto& one : at.below) plant(*one, level + 1);
          ++alive_;
          this_worker::wait_forever();
        },
        std::move(how));
  }
  static int in_order(const std::vector<std::unique_ptr<node>>& all) {
    int sum = 0;
    for (const auto& one : all)
      sum += static_cast<int>(one->ran == 1 && one->children_first) + in_order(one->below);
    return sum;
  }

  teardown policy_;
  std::atomic<int> alive_{0};
  std::vector<std::unique_ptr<node>> tops_;
  std::vector<worker_ptr> started_;
};

class trees : public worker_test, public ::testing::WithParamInterface<teardown> {};

// Shows: PW-16.
TEST_P(trees, every_finalizer_runs_once_and_a_childs_before_its_parents) {
  int size = 0;
  for (int level = 0, width = trees_at_once; level != depth; ++level, width *= fan_out)
    size += width;
  forest all(GetParam());
  all.grow();
  yield_until([&] { return all.alive() == size || !reported.entries().empty(); });
  all.end();
  EXPECT_EQ(reported.entries(), lines{});
  EXPECT_EQ(all.in_order(), size);
}
INSTANTIATE_TEST_SUITE_P(, trees, ::testing::Values(teardown::serial, teardown::broadcast),
                         [](const auto& policy) {
                           return policy.param == teardown::serial ? "serial" : "broadcast";
                         });

}  // namespace
}  // namespace threadref::workers
