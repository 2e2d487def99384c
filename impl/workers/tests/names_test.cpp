// SPDX-License-Identifier: MIT
#include "workers/names.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "threadref/threadref.hpp"

namespace threadref::workers {

namespace {

// Shows: PM-03.
TEST(names, by_default_are_numbered_and_no_two_alike) {
  std::set<std::string> given;
  for (int i = 0; i != 100; ++i) {
    const std::string name = next_thread_name();
    EXPECT_EQ(name.rfind("Thread-", 0), 0U) << name;
    EXPECT_TRUE(given.insert(name).second) << name;
  }
}

// Shows: PM-03.
TEST(names, survive_their_thread) {
  constexpr std::size_t threads = 50;
  std::vector<std::string> wanted;
  std::vector<thread_handle> dead(threads);
  for (thread_handle& h : dead) {
    wanted.push_back(next_thread_name());
    std::thread([&h, name = wanted.back()] {
      name_this_thread(name);
      h = current();
      EXPECT_EQ(h.name(), name);  // nobody reads the name of a thread that has ended
    }).join();
  }
  for (std::size_t i = 0; i != threads; ++i) {
    EXPECT_EQ(dead[i].state(), thread_state::ended);
    EXPECT_EQ(dead[i].name(), wanted[i]);
  }
}

// Shows: PM-03.
TEST(names, given_late_are_those_that_survive) {
  thread_handle h;
  std::thread([&h] {
    name_this_thread("early");
    h = current();
    EXPECT_EQ(h.name(), "early");
    name_this_thread("late");
    EXPECT_EQ(h.name(), "late");
  }).join();
  EXPECT_EQ(h.name(), "late");
}

TEST(names, keep_what_the_system_has_room_for) {
  std::thread([] {
    name_this_thread("a_name_of_more_than_15_characters");
    EXPECT_EQ(this_thread_name(), "a_name_of_more_");
  }).join();
}

// Shows: PM-04.
TEST(names, stand_before_each_line_of_a_log) {
  thread_handle h;
  std::string alive;
  std::thread([&] {
    name_this_thread("worker");
    h = current();
    alive = log_line("Starting");
    EXPECT_EQ(log_line(h, "Starting"), alive);
  }).join();
  EXPECT_EQ(alive, "(worker    ) Starting");
  EXPECT_EQ(log_line(h, "Exiting"), "(worker    ) Exiting");
}

// Shows: PM-08.
TEST(names, of_the_threads_that_live_are_those_enumerated) {
  constexpr int threads = 8;
  std::latch ready(threads);
  std::latch may_end(1);
  std::set<std::string> wanted;
  std::vector<std::thread> all;
  for (int i = 0; i != threads; ++i) {
    all.emplace_back([&, name = *wanted.insert(next_thread_name()).first] {
      name_this_thread(name);
      ensure();
      ready.count_down();
      may_end.wait();
    });
  }
  ready.wait();
  const thread_handle me = current();
  std::set<std::string> found;
  for (const thread_handle& h : enumerate()) {
    if (h != me) found.insert(h.name());
  }
  EXPECT_EQ(found, wanted);
  may_end.count_down();
  for (std::thread& t : all) t.join();
  EXPECT_EQ(enumerate(), std::vector{me});
}

}  // namespace

}  // namespace threadref::workers
