// SPDX-License-Identifier: MIT
#include "workers/local.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "threadref/threadref.hpp"

namespace threadref::workers {

namespace {

// Records when and where it is destroyed.
struct witness {
  struct log {
    std::atomic<int> made{0};
    std::vector<std::string> gone;  // written by one thread at a time
    std::thread::id on{};
  };
  log* record = nullptr;
  std::string name;
  int value = 0;
  witness(log& l, std::string n) : record(&l), name(std::move(n)) { ++record->made; }
  witness(const witness&) = delete;  // local<T> needs neither copy nor move
  witness& operator=(const witness&) = delete;
  ~witness() {
    record->gone.push_back(name);
    record->on = std::this_thread::get_id();
  }
};

// Shows: PM-22.
TEST(local, has_a_value_for_each_thread_and_none_before_its_first_use) {
  local<int> l;
  EXPECT_EQ(l.find(), nullptr);
  l.get() = 7;
  std::thread([&] {
    EXPECT_EQ(l.find(), nullptr);
    EXPECT_EQ(l.get(), 0);
    l.get() = 8;
    EXPECT_EQ(*l.find(), 8);
  }).join();
  EXPECT_EQ(l.get(), 7);
}

// Shows: PM-23.
TEST(local, makes_a_value_once_for_each_thread_and_object) {
  std::atomic<int> made{0};
  local<int> a([&] { return ++made; });
  local<int> b([&] { return ++made; });
  constexpr int threads = 8;
  std::vector<std::thread> all;
  for (int i = 0; i != threads; ++i) {
    all.emplace_back([&] {
      const int mine = a.get();
      EXPECT_NE(mine, b.get());
      for (int again = 0; again != 10; ++again) EXPECT_EQ(a.get(), mine);
    });
  }
  for (std::thread& t : all) t.join();
  EXPECT_EQ(made, 2 * threads);
}

// Shows: PM-22, PM-23.
TEST(local, values_go_at_the_exit_of_their_thread_last_used_first) {
  witness::log log;
  local<witness> a([&] { return witness(log, "a"); });
  local<witness> b([&] { return witness(log, "b"); });
  std::thread t([&] {
    finalize([&] { log.gone.emplace_back("older"); });
    b.get();
    a.get();
    finalize([&] {
      EXPECT_NE(a.find(), nullptr);
      log.gone.emplace_back("newer");
    });
  });
  const std::thread::id its = t.get_id();
  t.join();
  EXPECT_EQ(log.gone, (std::vector<std::string>{"newer", "a", "b", "older"}));
  EXPECT_EQ(log.on, its);
}

// Shows: PM-22.
TEST(local, values_go_with_the_object_when_that_dies_first) {
  witness::log log;
  auto l = std::make_unique<local<witness>>([&] { return witness(log, "a"); });
  std::latch used(1);
  std::latch dead(1);
  std::thread t([&] {
    l->get();
    used.count_down();
    dead.wait();
  });
  used.wait();
  const std::uint64_t taken = stats().detached;
  l.reset();
  EXPECT_EQ(log.gone.size(), 1U);
  EXPECT_EQ(log.on, std::this_thread::get_id());
  EXPECT_EQ(stats().detached, taken + 1) << "the thread still has something to do for it";
  dead.count_down();
  t.join();
  EXPECT_EQ(log.gone.size(), 1U);
}

TEST(local, and_threads_may_end_at_once) {
  for (int i = 0; i != 100; ++i) {
    std::atomic<int> alive{0};
    struct counted {
      explicit counted(std::atomic<int>& of) : n(of) { ++n; }
      counted(const counted&) = delete;
      counted& operator=(const counted&) = delete;
      ~counted() { --n; }
      std::atomic<int>& n;
    };
    auto l = std::make_unique<local<counted>>([&] { return counted(alive); });
    constexpr int threads = 4;
    std::latch used(threads);
    std::latch go(1);
    std::vector<std::thread> all;
    for (int k = 0; k != threads; ++k) {
      all.emplace_back([&] {
        l->get();
        used.count_down();
        go.wait();
      });
    }
    used.wait();
    go.count_down();
    l.reset();
    for (std::thread& t : all) t.join();
    ASSERT_EQ(alive, 0);
  }
}

TEST(local, has_no_value_if_making_it_throws) {
  int calls = 0;
  local<int> l([&]() -> int {
    if (++calls == 1) throw std::runtime_error("not yet");
    return 7;
  });
  EXPECT_THROW(l.get(), std::runtime_error);
  EXPECT_EQ(l.find(), nullptr);
  EXPECT_EQ(l.get(), 7);
}

// A value requested while its thread's values are destroyed is a new one, and is destroyed as well.
TEST(local, used_in_the_exit_has_a_value_again) {
  std::atomic<int> made{0};
  std::atomic<int> gone{0};
  local<std::shared_ptr<int>> l([&] {
    return std::shared_ptr<int>(new int(++made), [&](const int* p) {
      delete p;
      ++gone;
    });
  });
  std::thread([&] {
    finalize([&] { EXPECT_EQ(*l.get(), 2); });
    EXPECT_EQ(*l.get(), 1);
  }).join();
  EXPECT_EQ(made, 2);
  EXPECT_EQ(gone, 2);
}

}  // namespace

}  // namespace threadref::workers
