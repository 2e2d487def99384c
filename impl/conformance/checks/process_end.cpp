// SPDX-License-Identifier: MIT
// H. How a process ends, and which threads' finalizers run then. Each check runs in a process of
// its own.
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "conformance/harness/child.hpp"
#include "conformance/harness/suite.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(process_end);

// What the ends of main() have in common: three finalizers of main, and two of a thread that has
// ended.
template <class B>
void register_on_main(ledger& out) {
  seen<B>(out, "m1");
  finalize<B>([&out, alive = basic_ref<B>()] {
    out.note("m2");
    out.note(alive.expired() ? "ref is null" : "ref is not null");
  });
  seen<B>(out, "m3");
  os_thread([&out] {
    seen<B>(out, "w1");
    seen<B>(out, "w2");
  }).join();
}
const names at_an_end_of_main = {"w2@thread", "w1@thread",        "m3@main",
                                 "m2@main",   "ref is null@main", "m1@main"};

void expect_end_of_main(const outcome& end) {
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(end.trace, at_an_end_of_main);
  EXPECT_EQ(end.stats.registered, 5U);
  EXPECT_EQ(end.stats.ran_at_exit, 2U);
  EXPECT_EQ(end.stats.ran_at_process_exit, 3U);
  expect_accounted(end.stats, 0);
}

THREADREF_SCENARIO(c073_return_from_main) {
  register_on_main<B>(out);
  return 0;
}
// Shows: F-21.
TYPED_TEST(process_end, c073_return_from_main) {
  expect_end_of_main(play<TypeParam>());
}

THREADREF_SCENARIO(c074_exit_on_main) {
  register_on_main<B>(out);
  std::exit(0);
}
TYPED_TEST(process_end, c074_exit_on_main) {
  expect_end_of_main(play<TypeParam>());
}

// Main's finalizers run on main when it calls pthread_exit(): the worker waits for the last one.
THREADREF_SCENARIO(c075_pthread_exit_on_main_before_a_worker_ends) {
  static gate main_is_over;
  finalize<B>([&out] {
    out.note("m1");
    main_is_over.open();
  });
  seen<B>(out, "m2");
  start_detached([&out] {
    seen<B>(out, "w1");
    main_is_over.wait();
    out.note("worker");
  });
  pthread_exit(nullptr);
}
TYPED_TEST(process_end, c075_pthread_exit_on_main_before_a_worker_ends) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(end.trace, (names{"m2@main", "m1@main", "worker@thread", "w1@thread"}));
  EXPECT_EQ(end.stats.ran_at_exit, 3U);
  expect_accounted(end.stats, 0);
}

THREADREF_SCENARIO(c075_pthread_exit_on_main_alone) {
  seen<B>(out, "m1");
  seen<B>(out, "m2");
  pthread_exit(nullptr);
}
TYPED_TEST(process_end, c075_pthread_exit_on_main_alone) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(end.trace, (names{"m2@main", "m1@main"}));
  expect_accounted(end.stats, 0);
}

// With no key left a back end may use a guard, a thread_local. Those are not destroyed when main
// calls pthread_exit(), so main's finalizers run at the end of the process, on its last thread.
THREADREF_SCENARIO(c075_main_may_have_gone_unheard) {
  for (pthread_key_t k{}; pthread_key_create(&k, nullptr) == 0;) continue;
  seen<B>(out, "m1");
  seen<B>(out, "m2");
  start_detached([&out, main = pthread_self()] {
    pthread_join(main, nullptr);
    out.note("worker");
  });
  pthread_exit(nullptr);
}
TYPED_TEST(process_end, c075_main_may_have_gone_unheard) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  const bool in_the_stage = end.stats.ran_at_process_exit != 0;
  EXPECT_EQ(end.trace, in_the_stage ? (names{"worker@thread", "m2@thread", "m1@thread"})
                                    : (names{"m2@main", "m1@main", "worker@thread"}));
  expect_accounted(end.stats, 0);
}

THREADREF_SCENARIO(c076_exit_on_a_worker_runs_only_its_own) {
  seen<B>(out, "m1");
  for (const char* other : {"o1", "o2", "o3"}) start_blocked<B>(out, other);
  start_detached([&out] {
    seen<B>(out, "w1");
    seen<B>(out, "w2");
    std::exit(0);
  });
  block_for_ever();
}
TYPED_TEST(process_end, c076_exit_on_a_worker_runs_only_its_own) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(end.trace, (names{"w2@thread", "w1@thread"}));
  expect_accounted(end.stats, 4);
}

// C leaves this undefined. The C library continues with the handlers that are left, and so does the
// back end.
template <class B>
void register_one_that_exits(ledger& out) {
  seen<B>(out, "f1");
  finalize<B>([&out] {
    out.note("f2");
    std::exit(5);
  });
  seen<B>(out, "f3");
}
THREADREF_SCENARIO(c077_exit_inside_a_finalizer) {
  seen<B>(out, "m1");
  start_detached([&out] { register_one_that_exits<B>(out); });
  block_for_ever();
}
TYPED_TEST(process_end, c077_exit_inside_a_finalizer) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 5") << end.output;
  EXPECT_EQ(end.trace, (names{"f3@thread", "f2@thread", "f1@thread"}));
}

THREADREF_SCENARIO(c077_exit_inside_the_exit_stage) {
  register_one_that_exits<B>(out);
  return 0;
}
TYPED_TEST(process_end, c077_exit_inside_the_exit_stage) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 5") << end.output;
  EXPECT_EQ(end.trace, (names{"f3@main", "f2@main", "f1@main"}));
}

// Main and a worker have finalizers pending; then `end()` ends the process abruptly.
template <class B, class F>
int end_abruptly(ledger& out, F end) {
  seen<B>(out, "m1");
  start_blocked<B>(out, "w1");
  out.note("begun");
  end();
  return 0;
}
void expect_abrupt_end(const outcome& end, const std::string& how) {
  EXPECT_EQ(end.how, how) << end.output;
  EXPECT_EQ(end.trace, names{"begun@main"});
  EXPECT_EQ(end.stats.registered, 0U) << "its destructors ran";
}

THREADREF_SCENARIO(c078_nothing_runs_at__exit) {
  return end_abruptly<B>(out, [] { _exit(3); });
}
TYPED_TEST(process_end, c078_nothing_runs_at__exit) {
  expect_abrupt_end(play<TypeParam>(), "status 3");
}
THREADREF_SCENARIO(c078_nothing_runs_at_quick_exit) {
  return end_abruptly<B>(out, [] { std::quick_exit(3); });
}
TYPED_TEST(process_end, c078_nothing_runs_at_quick_exit) {
  expect_abrupt_end(play<TypeParam>(), "status 3");
}
THREADREF_SCENARIO(c078_nothing_runs_at_abort) {
  return end_abruptly<B>(out, [] { std::abort(); });
}
TYPED_TEST(process_end, c078_nothing_runs_at_abort) {
  expect_abrupt_end(play<TypeParam>(), "signal " + std::to_string(SIGABRT));
}
THREADREF_SCENARIO(c078_nothing_runs_at_sigkill) {
  return end_abruptly<B>(out, [] { kill(getpid(), SIGKILL); });
}
TYPED_TEST(process_end, c078_nothing_runs_at_sigkill) {
  expect_abrupt_end(play<TypeParam>(), "signal " + std::to_string(SIGKILL));
}

// Three threads are inside a finalizer, each with another one pending, and continue while main
// returns.
template <class B>
int exit_while_others_drain(ledger& out) {
  static std::atomic<int> inside{0};
  static std::atomic<bool> go{false};
  static constexpr std::array<std::array<const char*, 2>, 3> ids = {
      {{"a1", "a2"}, {"b1", "b2"}, {"c1", "c2"}}};
  seen<B>(out, "m1");
  for (const auto& [older, newer] : ids) {
    start_detached([&out, first = newer, last = older] {
      seen<B>(out, last);
      finalize<B>([&out, first] {
        out.note(first);
        ++inside;
        while (!go.load()) std::this_thread::yield();
      });
    });
  }
  while (inside.load() != static_cast<int>(ids.size())) std::this_thread::yield();
  go = true;
  return 0;
}
void expect_none_twice(const outcome& end) {
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(count(end, "m1@main"), 1U);
  std::size_t pending = 0;
  for (const char* newer : {"a2@thread", "b2@thread", "c2@thread"})
    EXPECT_EQ(count(end, newer), 1U);
  for (const char* older : {"a1@thread", "b1@thread", "c1@thread"}) {
    EXPECT_LE(count(end, older), 1U);
    pending += 1 - count(end, older);
  }
  EXPECT_EQ(end.trace.size(), 7 - pending) << "some ran on main";
}

THREADREF_SCENARIO(c079_threads_inside_a_finalizer) {
  return exit_while_others_drain<B>(out);
}
TYPED_TEST(process_end, c079_threads_inside_a_finalizer) {
  for (int i = 0; i != scaled(1'000) && !::testing::Test::HasFailure(); ++i) {
    expect_none_twice(play<TypeParam>());
  }
}
THREADREF_SCENARIO(c079_they_are_not_adopted) {
  if (configure({.adopt = true})) return 1;
  return exit_while_others_drain<B>(out);
}
TYPED_TEST(process_end, c079_they_are_not_adopted) {
  for (int i = 0; i != scaled(1'000) && !::testing::Test::HasFailure(); ++i) {
    expect_none_twice(play<TypeParam>());
  }
}

// Its thread's exit would use memory that is gone.
THREADREF_SCENARIO(c123_an_attached_node_that_another_thread_destroys_ends_the_process) {
  static basic_exit_node<B>* node = nullptr;
  node = new basic_exit_node<B>;
  const auto ignored = [](void* /*unused*/) {};
  if (node->attach(ignored, nullptr) != std::errc{}) return 1;
  os_thread([] { delete node; }).join();
  return 0;
}
TYPED_TEST(process_end, c123_an_attached_node_that_another_thread_destroys_ends_the_process) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "signal " + std::to_string(SIGABRT)) << end.output;
  EXPECT_NE(end.output.find("an exit_node was destroyed on another thread"), std::string::npos)
      << end.output;
}

// A thread that does not exist in this process uses nothing.
THREADREF_SCENARIO(c123_in_a_fork_a_vanished_threads_node_may_be_destroyed) {
  static auto* const node = new basic_exit_node<B>;
  static gate attached;
  start_detached([] {
    static_cast<void>(node->attach([](void* /*unused*/) {}, nullptr));
    attached.open();
    block_for_ever();
  });
  attached.wait();
  const pid_t child = checked_fork();
  if (child == 0) {
    delete node;
    out.note("deleted");
    _exit(0);
  }
  return wait_for_fork(child) == "status 0" ? 0 : 1;
}
TYPED_TEST(process_end, c123_in_a_fork_a_vanished_threads_node_may_be_destroyed) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(end.trace, names{"fork: deleted@main"}) << end.output;
}

template <class B>
void register_one_without_atexit(ledger& out) {
  seen<B>(out, "f1");
  seen<B>(out, "f2").atexit(false);
  seen<B>(out, "f3");
  const auto set_again = seen<B>(out, "f4");
  set_again.atexit(false);
  set_again.atexit(true);
}
THREADREF_SCENARIO(c080_who_does_not_want_to_run_at_exit) {
  register_one_without_atexit<B>(out);
  return 0;
}
// Shows: F-25.
TYPED_TEST(process_end, c080_who_does_not_want_to_run_at_exit) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.trace, (names{"f4@main", "f3@main", "f1@main"})) << end.output;
  expect_accounted(end.stats, 1);
}
THREADREF_SCENARIO(c080_nor_at_exit_on_a_worker) {
  start_detached([&out] {
    register_one_without_atexit<B>(out);
    std::exit(0);
  });
  block_for_ever();
}
TYPED_TEST(process_end, c080_nor_at_exit_on_a_worker) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.trace, (names{"f4@thread", "f3@thread", "f1@thread"})) << end.output;
  expect_accounted(end.stats, 1);
}

THREADREF_SCENARIO(c086_main_returns_7) {
  seen<B>(out, "m1");
  return 7;
}
TYPED_TEST(process_end, c086_main_returns_7) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 7") << end.output;
  EXPECT_EQ(end.trace, names{"m1@main"});
}
THREADREF_SCENARIO(c086_a_worker_exits_with_7) {
  start_detached([&out] {
    seen<B>(out, "w1");
    std::exit(7);
  });
  block_for_ever();
}
TYPED_TEST(process_end, c086_a_worker_exits_with_7) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 7") << end.output;
  EXPECT_EQ(end.trace, names{"w1@thread"});
}

THREADREF_SCENARIO(c052_an_exception_that_leaves_a_thread) {
  start_detached([&out] {
    seen<B>(out, "w1");
    out.note("begun");
    throw std::runtime_error("nobody catches this");
  });
  block_for_ever();
}
TYPED_TEST(process_end, c052_an_exception_that_leaves_a_thread) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "signal " + std::to_string(SIGABRT)) << end.output;
  EXPECT_EQ(end.trace, names{"begun@thread"});
  EXPECT_NE(end.output.find("nobody catches this"), std::string::npos) << end.output;
}

// Another thread keeps setting and clearing the flag of half of main's finalizers while main
// returns.
THREADREF_SCENARIO(c057_the_flag_flips_while_the_process_ends) {
  static auto* const ids = new std::vector<std::string>;  // read in the stage: never destroyed
  for (int i = 0; i != 100; ++i)
    ids->push_back((i % 2 == 0 ? "steady" : "flipped") + std::to_string(i));
  std::vector<plain_finalizer<B>> flipped;
  for (const std::string& id : *ids) {
    const auto f = seen<B>(out, id.c_str());
    if (id.front() == 'f') flipped.push_back(f);
  }
  static auto* const flipping = new gate;  // the thread still opens it while statics are destroyed
  start_detached([all = flipped] {
    for (bool wanted = false;; wanted = !wanted) {
      for (const auto& f : all) f.atexit(wanted);
      if (wanted) flipping->open();
    }
  });
  flipping->wait();
  return 0;
}
TYPED_TEST(process_end, c057_the_flag_flips_while_the_process_ends) {
  for (int i = 0; i != scaled(200) && !::testing::Test::HasFailure(); ++i) {
    const outcome end = play<TypeParam>();
    EXPECT_EQ(end.how, "status 0") << end.output;
    names expected;
    for (int f = 99; f >= 0; --f) {
      const std::string id = (f % 2 == 0 ? "steady" : "flipped") + std::to_string(f) + "@main";
      if (f % 2 == 0 || count(end, id) != 0) expected.push_back(id);
    }
    EXPECT_EQ(end.trace, expected);
    expect_accounted(end.stats, 100 - end.trace.size());
  }
}

}  // namespace
}  // namespace threadref::conformance
