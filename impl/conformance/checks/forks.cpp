// SPDX-License-Identifier: MIT
// I. fork(). Each check runs in a process of its own, which forks.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <vector>

#include "conformance/harness/child.hpp"
#include "conformance/harness/suite.hpp"
#include "conformance/harness/thread_values.hpp"
#include "testing/check.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(forks);

THREADREF_SCENARIO(c087_on_main_both_run_its_finalizers) {
  seen<B>(out, "m1");
  seen<B>(out, "m2");
  const basic_ref<B> main;
  const std::uint64_t serial = current<B>().serial();
  const pid_t child = checked_fork();
  if (child != 0) {
    out.note(wait_for_fork(child).c_str());
  } else {
    out.note(main() && main().serial() == serial && current<B>().is_main() ? "same" : "another");
  }
  return child == 0 ? 9 : 0;
}
// Shows: R-35, F-31.
TYPED_TEST(forks, c087_on_main_both_run_its_finalizers) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(trace_of(end, process::forked), (names{"same@main", "m2@main", "m1@main"}));
  EXPECT_EQ(trace_of(end, process::child), (names{"status 9@main", "m2@main", "m1@main"}));
  expect_accounted(end.stats, 0);
  expect_accounted(end.stats_of_fork, 0);
  EXPECT_EQ(end.stats_of_fork.forgotten, 0U);
}

// A worker forks; main and another thread are its siblings.
template <class B>
int fork_in_a_worker(ledger& out) {
  static basic_ref<B> sibling;
  static std::vector<plain_finalizer<B>> of_sibling;
  sibling = basic_ref<B>();
  of_sibling.push_back(seen<B>(out, "m1"));
  of_sibling.push_back(seen<B>(out, "m2"));
  start_blocked<B>(out, "o1");
  os_thread([&out] {
    seen<B>(out, "w1");
    seen<B>(out, "w2");
    const basic_ref<B> me;
    const pid_t child = checked_fork();
    if (child != 0) {
      out.note(wait_for_fork(child).c_str());
      out.note(sibling() ? "sibling lives" : "sibling is gone");
      return;
    }
    out.note(sibling() ? "sibling lives" : "sibling is gone");
    out.note(me() == current<B>() && me().is_main() ? "main" : "not main");
    for (const auto& f : of_sibling) {
      if (f.alive() || f() || f.cancel()) out.note("claimed a sibling's finalizer");
    }
    out.note("threads", enumerate<B>().size());
    out.note("forgotten", stats<B>().forgotten);
    out.note("ran", stats<B>().ran_at_process_exit);
  }).join();
  return 0;
}
const names in_the_parent = {
    "status 0@thread", "sibling lives@thread", "w2@thread", "w1@thread", "m2@main", "m1@main"};

THREADREF_SCENARIO(c088_siblings_are_forgotten) {
  return fork_in_a_worker<B>(out);
}
// Shows: R-35.
// Differs: R-34: by default they are forgotten: what they hold may be locked by threads that are
// not there.
TYPED_TEST(forks, c088_siblings_are_forgotten) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(trace_of(end, process::forked),
            (names{"sibling is gone@main", "main@main", "threads 1@main", "forgotten 3@main",
                   "ran 0@main", "w2@main", "w1@main"}));
  EXPECT_EQ(trace_of(end, process::child), in_the_parent);
  expect_accounted(end.stats, 1);
  expect_accounted(end.stats_of_fork, 0);
}

THREADREF_SCENARIO(c088_siblings_are_run) {
  if (configure({.on_fork = fork_policy::run_siblings})) return 1;
  return fork_in_a_worker<B>(out);
}
// Shows: R-34, F-31.
TYPED_TEST(forks, c088_siblings_are_run) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  // One thread after the other, in an unspecified order.
  const names child = trace_of(end, process::forked);
  ASSERT_GE(child.size(), 3U) << end.output;
  const bool main_first = child[0] == "m2@main";
  names expected =
      main_first ? names{"m2@main", "m1@main", "o1@main"} : names{"o1@main", "m2@main", "m1@main"};
  for (const char* n : {"sibling is gone@main", "main@main", "threads 1@main", "forgotten 0@main",
                        "ran 3@main", "w2@main", "w1@main"}) {
    expected.emplace_back(n);
  }
  EXPECT_EQ(child, expected);
  EXPECT_EQ(trace_of(end, process::child), in_the_parent);
  expect_accounted(end.stats, 1);
  expect_accounted(end.stats_of_fork, 0);
}

// Threads that start, register, cancel each other's finalizers and end, so that their locks are in
// every state.
template <class B>
void churn(const std::atomic<bool>& stop) {
  while (!stop) {
    os_thread other([] {
      std::vector<plain_finalizer<B>> mine;
      for (int i = 0; i != 20; ++i) mine.push_back(finalize<B>([] {}));
      os_thread([&mine] {
        for (const auto& f : mine) f.cancel();
      }).join();
    });
    static_cast<void>(enumerate<B>());
  }
}

THREADREF_SCENARIO(c089_under_churn) {
  static std::atomic<bool> stop{false};
  os_thread a([] { churn<B>(stop); });
  os_thread b([] { churn<B>(stop); });
  for (int i = 0; i != scaled(1'000); ++i) {
    const pid_t child = checked_fork();
    if (child == 0) {
      seen<B>(out, "registered");
      os_thread([&out] { seen<B>(out, "new thread"); }).join();
      const std::vector<thread_handle> all = enumerate<B>();
      if (all.size() == 1 && all[0].is_main()) out.note("alone");
      std::exit(0);
    }
    if (const std::string how = wait_for_fork(child); how != "status 0") {
      out.note(how.c_str());
      _exit(1);
    }
  }
  stop = true;
  a.join();
  b.join();
  out.note("all forked");
  return 0;
}
TYPED_TEST(forks, c089_under_churn) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(trace_of(end, process::child), names{"all forked@main"}) << end.output;
  constexpr auto children = static_cast<std::size_t>(scaled(1'000));
  for (const char* n : {"fork: registered@main", "fork: new thread@thread", "fork: alone@main"}) {
    EXPECT_EQ(count(end, n), children);
  }
  expect_accounted(end.stats, 0);
  expect_accounted(end.stats_of_fork, 0);
}

// Forks while a thread that has registered is in the destructor of an older key. The child runs
// `in_child` and exits in here, since it must not destroy objects of that thread.
template <class B, class F>
int fork_beside_an_older_key(ledger& out, F&& in_child) {
  gate inside;
  gate forked;
  key_task older(1, [&](int /*round*/) {
    inside.open();
    forked.wait();
  });
  os_thread leaving([&] {
    older.arm(older_key());
    finalize<B>([] {});
  });
  inside.wait();
  const pid_t child = checked_fork();
  if (child != 0) {
    out.note(wait_for_fork(child).c_str());
    forked.open();
    leaving.join();
    return 0;
  }
  in_child();
  std::exit(0);
}

// At that moment glibc believes that the thread has no values of keys, and leaves them on the stack
// that the child gives to its next thread. They must not be mistaken for that thread's.
THREADREF_SCENARIO(c089_while_a_thread_is_in_an_older_keys_destructor) {
  return fork_beside_an_older_key<B>(out, [&out] {
    seen<B>(out, "m1");
    os_thread([&out] {
      if (try_current<B>()) out.note("not itself");
      seen<B>(out, "w1");
    }).join();
    os_thread([] {}).join();  // a thread that registers nothing must not run anything
    out.note("threads", enumerate<B>().size());
  });
}
TYPED_TEST(forks, c089_while_a_thread_is_in_an_older_keys_destructor) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(trace_of(end, process::forked), (names{"w1@thread", "threads 1@main", "m1@main"}));
  EXPECT_EQ(trace_of(end, process::child), names{"status 0@main"});
  expect_accounted(end.stats, 0);
  expect_accounted(end.stats_of_fork, 0);
}

// Such a value must not reach the record of the vanished thread either, once another thread reuses
// it: here main, which is new to the library.
THREADREF_SCENARIO(c089_after_which_a_thread_uses_another_key_only) {
  return fork_beside_an_older_key<B>(out, [&out] {
    seen<B>(out, "m1");
    key_task another(1, [&out](int /*round*/) { out.note("key"); });
    os_thread([&another] { another.arm(older_key()); }).join();
    out.note(current<B>().is_main() ? "main lives" : "main is gone");
  });
}
TYPED_TEST(forks, c089_after_which_a_thread_uses_another_key_only) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(trace_of(end, process::forked), (names{"key@thread", "main lives@main", "m1@main"}));
  EXPECT_EQ(trace_of(end, process::child), names{"status 0@main"});
  expect_accounted(end.stats, 0);
  expect_accounted(end.stats_of_fork, 0);
}

// In the child the lock is free, although its holder is not there.
THREADREF_SCENARIO(c089_does_not_wait_for_who_has_a_lock) {
  plain_finalizer<B> of_other;
  basic_ref<B> life;
  gate inside;
  gate forked;
  os_thread other([&] {
    of_other = finalize<B>([] {});
    life = basic_ref<B>();
    const detail::lock_guard lock(B::list::own()->m);
    inside.open();
    forked.wait();
  });
  inside.wait();
  const pid_t child = checked_fork();
  if (child == 0) {
    out.note(of_other.cancel() ? "cancelled" : "gone");
    out.note(life() ? "lives" : "is dead");
    for (int i = 0; i != 3; ++i) {  // one of them in the vanished thread's block
      os_thread([&out] { seen<B>(out, "w1"); }).join();
    }
    std::exit(0);
  }
  out.note(wait_for_fork(child).c_str());
  forked.open();
  return 0;
}
TYPED_TEST(forks, c089_does_not_wait_for_who_has_a_lock) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(trace_of(end, process::child), names{"status 0@main"});
  EXPECT_EQ(trace_of(end, process::forked),
            (names{"gone@main", "is dead@main", "w1@thread", "w1@thread", "w1@thread"}));
  expect_accounted(end.stats, 0);
  expect_accounted(end.stats_of_fork, 0);
}

// A waiter may still be counted in the block of a thread that has ended. Nobody waits there in the
// child, where each finalizer would wake that waiter in vain.
THREADREF_SCENARIO(c089_after_which_nobody_waits) {
  static detail::block* dead = nullptr;
  os_thread([] {
    finalize<B>([] {});
    dead = B::list::own();
  }).join();
  ++dead->waiters;
  const pid_t child = checked_fork();
  if (child == 0) {
    os_thread([&out] {
      finalize<B>([] {});
      out.note(B::list::own() == dead ? "the same block" : "another block");
      out.note("waiters", dead->waiters);
    }).join();
    std::exit(0);
  }
  out.note(wait_for_fork(child).c_str());
  --dead->waiters;
  return 0;
}
TYPED_TEST(forks, c089_after_which_nobody_waits) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(trace_of(end, process::forked), (names{"the same block@thread", "waiters 0@thread"}));
}

// trim() holds the lock of the dead threads' blocks, and takes their slabs.
THREADREF_SCENARIO(c089_while_another_thread_trims) {
  {
    gate all_ready;
    std::atomic<int> ready{0};
    std::deque<os_thread> dead;
    for (int i = 0; i != 16; ++i) {
      dead.emplace_back([&] {
        finalize<B>([] {});
        if (++ready == 16) all_ready.open();
        all_ready.wait();
      });
    }
  }
  std::atomic<bool> stop{false};
  os_thread trimming([&stop] {
    while (!stop) trim<B>();
  });
  for (int i = 0; i != scaled(2'000, 50); ++i) {
    const pid_t child = checked_fork();
    if (child == 0) _exit(0);
    if (wait_for_fork(child) != "status 0") out.note("a child failed");
  }
  stop = true;
  trimming.join();
  out.note("all forked");
  return 0;
}
TYPED_TEST(forks, c089_while_another_thread_trims) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(end.trace, names{"all forked@main"});
  expect_accounted(end.stats, 0);
}

// How many KiB of the mapping around `address` this process has written since it forked or was
// forked.
long kib_written_around(const void* address) {
  std::FILE* const file = std::fopen("/proc/self/smaps", "r");
  THREADREF_CHECK_ERRNO(file != nullptr, "fopen(/proc/self/smaps)");
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  bool is_around = false;
  long kib = -1;
  char line[256];
  while (kib < 0 && std::fgets(line, sizeof line, file) != nullptr) {
    unsigned long begin = 0;
    unsigned long end = 0;
    if (std::sscanf(line, "%lx-%lx ", &begin, &end) == 2) {
      is_around = begin <= wanted && wanted < end;
    } else if (is_around) {
      static_cast<void>(std::sscanf(line, "Private_Dirty: %ld", &kib));
    }
  }
  std::fclose(file);
  return kib;
}

// Neither process writes to blocks of threads that ended before: each page would be copied.
THREADREF_SCENARIO(c089_costs_nothing_for_threads_that_have_ended) {
  finalize<B>([] {});
  {
    gate over;
    std::deque<os_thread> threads;
    for (int i = 0; i != 500; ++i) {
      gate ready;
      threads.emplace_back([&] {
        finalize<B>([] {});
        ready.open();
        over.wait();
      });
      ready.wait();
    }
    over.open();
  }
  const auto note = [&out] {
    const long kib = kib_written_around(B::list::own());
    out.note(kib < 0 ? "unknown" : kib < 64 ? "little written" : "much written");
  };
  int ends[2] = {};
  THREADREF_CHECK_ERRNO(pipe(ends) == 0, "pipe");
  const pid_t child = checked_fork();
  char byte = 0;
  if (child == 0) {
    note();
    // Until then the parent shares what neither has written.
    THREADREF_CHECK_ERRNO(read(ends[0], &byte, 1) == 1, "read");
    _exit(0);
  }
  note();
  THREADREF_CHECK_ERRNO(write(ends[1], &byte, 1) == 1, "write");
  out.note(wait_for_fork(child).c_str());
  return 0;
}
TYPED_TEST(forks, c089_costs_nothing_for_threads_that_have_ended) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(trace_of(end, process::forked), names{"little written@main"});
  EXPECT_EQ(trace_of(end, process::child), (names{"little written@main", "status 0@main"}));
}

// The child continues the drain in which it was forked, and so does the parent.
template <class B>
void register_one_that_forks(ledger& out) {
  seen<B>(out, "f1");
  finalize<B>([&out] {
    out.note("f2");
    const pid_t child = checked_fork();
    if (child != 0) {
      out.note(wait_for_fork(child).c_str());
    } else {
      seen<B>(out, "new");
    }
  });
  seen<B>(out, "f3");
}
// After the fork in "f2": the child's run, which was where `on` says, and that of the forked
// process.
void expect_both_to_run_the_rest(const outcome& end, const std::string& on) {
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(trace_of(end, process::forked), (names{"new@main", "f1@main"}));
  EXPECT_EQ(trace_of(end, process::child),
            (names{"f3" + on, "f2" + on, "status 0" + on, "f1" + on}));
  expect_accounted(end.stats, 0);
  expect_accounted(end.stats_of_fork, 0);
}
THREADREF_SCENARIO(c090_inside_a_finalizer) {
  os_thread([&out] { register_one_that_forks<B>(out); }).join();
  return 0;
}
TYPED_TEST(forks, c090_inside_a_finalizer) {
  expect_both_to_run_the_rest(play<TypeParam>(), "@thread");
}
THREADREF_SCENARIO(c090_inside_the_exit_stage) {
  register_one_that_forks<B>(out);
  return 0;
}
TYPED_TEST(forks, c090_inside_the_exit_stage) {
  expect_both_to_run_the_rest(play<TypeParam>(), "@main");
}

// The library must not react to another program that is started, nor to the moment before that.
THREADREF_SCENARIO(c091_vfork_and_another_program) {
  static basic_ref<B> other;
  seen<B>(out, "m1");
  gate ready;
  gate stop;
  os_thread thread([&] {
    seen<B>(out, "o1");
    other = basic_ref<B>();
    ready.open();
    stop.wait();
  });
  ready.wait();
  // The scenario does not exist, so the program ends with status 1.
  const pid_t child = vfork();
  if (child == 0) {
    execl("/proc/self/exe", "conformance_threadref", "--child=none", "--ledger=-1", nullptr);
    _exit(127);
  }
  THREADREF_CHECK_ERRNO(child > 0, "vfork");
  out.note(wait_for_fork(child).c_str());
  out.note(other() && stats<B>().forgotten == 0 ? "untouched" : "touched");
  stop.open();
  thread.join();
  return 0;
}
TYPED_TEST(forks, c091_vfork_and_another_program) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(end.trace, (names{"status 1@main", "untouched@main", "o1@thread", "m1@main"}));
  expect_accounted(end.stats, 0);
}

}  // namespace
}  // namespace threadref::conformance
