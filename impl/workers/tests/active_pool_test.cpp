// SPDX-License-Identifier: MIT
#include "workers/active_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "threadref/threadref.hpp"

namespace threadref::workers {

namespace {

constexpr int permits = 5;

// An independent count of the threads inside: the pool's own figures could share its mistake.
class occupancy {
 public:
  void enter() {
    const int now = ++inside_;
    int most = most_.load();
    while (most < now && !most_.compare_exchange_weak(most, now)) {
    }
  }
  void leave() { --inside_; }
  [[nodiscard]] int most() const { return most_; }

 private:
  std::atomic<int> inside_{0};
  std::atomic<int> most_{0};
};

// Shows: PM-21.
TEST(active_pool, lets_five_of_twenty_in_at_a_time_and_exits_give_the_permits_back) {
  active_pool pool(permits);
  occupancy seen;
  constexpr int count = 20;
  std::atomic<int> at_the_door{0};
  std::vector<std::thread> threads;
  for (int i = 0; i != count; ++i) {
    threads.emplace_back([&] {
      name_this_thread(next_thread_name());
      ++at_the_door;
      enter_until_exit(pool);
      seen.enter();
      finalize([&] { seen.leave(); });  // newer, so it runs before the permit is returned
      const std::vector<std::string> now = pool.active();
      EXPECT_LE(now.size(), std::size_t{permits});
      EXPECT_NE(std::find(now.begin(), now.end(), this_thread_name()), now.end());
      // No thread leaves before all have arrived and have had time to get in.
      while (at_the_door != count) std::this_thread::yield();
      for (int turns = 0; turns != 1'000; ++turns) std::this_thread::yield();
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(seen.most(), permits);
  EXPECT_EQ(pool.active_max(), std::size_t{permits});
  EXPECT_TRUE(pool.active().empty());
}

// Shows: PM-21.
TEST(active_pool, knows_its_members_by_name) {
  active_pool pool(3);
  pool.enter("a");
  pool.enter("b");
  pool.enter("b");
  EXPECT_EQ(pool.active(), (std::vector<std::string>{"a", "b", "b"}));
  EXPECT_TRUE(pool.leave("b"));
  EXPECT_EQ(pool.active(), (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(pool.leave("nobody"));
  EXPECT_TRUE(pool.leave("b"));
  EXPECT_FALSE(pool.leave("b"));
}

}  // namespace

}  // namespace threadref::workers
