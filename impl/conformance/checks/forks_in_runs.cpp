// SPDX-License-Identifier: MIT
// I. fork() while finalizers run: what happens to a run whose thread does not exist in the child.
#include <gtest/gtest.h>
#include <sys/types.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <deque>

#include "conformance/harness/child.hpp"
#include "conformance/harness/suite.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(forks_in_runs);

template <class B>
void note_state(ledger& out, const plain_finalizer<B>& f) {
  constexpr const char* state_names[] = {"armed", "running", "gone"};
  out.note(state_names[static_cast<std::size_t>(f.state())]);
}

// In the parent, while other threads wait for `forked` to open.
int see_the_child(ledger& out, pid_t child, gate& forked) {
  out.note(wait_for_fork(child).c_str());
  forked.open();
  return 0;
}

// The child does not wait for them: neither through a handle, while a thread_handle keeps the
// thread's record, nor in detach_all() after another thread has reused the record.
THREADREF_SCENARIO(c089_while_threads_are_inside_their_finalizers) {
  thread_handle known;
  plain_finalizer<B> of_known;
  gate known_is_inside;
  gate other_is_inside;
  gate forked;
  const auto register_two = [&forked](gate& inside) {
    finalize<B>([] {});
    return finalize<B>([&inside, &forked] {
      inside.open();
      forked.wait();
    });
  };
  os_thread one([&] {
    known = current<B>();
    of_known = register_two(known_is_inside);
  });
  os_thread other([&] { register_two(other_is_inside); });
  known_is_inside.wait();
  other_is_inside.wait();
  const pid_t child = checked_fork();
  if (child != 0) return see_the_child(out, child, forked);
  of_known.wait();
  note_state<B>(out, of_known);
  gate registered;
  gate detached;
  os_thread next([&] {
    seen<B>(out, "w1");
    registered.open();
    detached.wait();
  });
  registered.wait();
  out.note("detached", detach_all<B>(stdout));
  detached.open();
  next.join();
  std::exit(0);
}
TYPED_TEST(forks_in_runs, c089_while_threads_are_inside_their_finalizers) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(trace_of(end, process::forked), (names{"gone@main", "detached 0@main", "w1@thread"}));
  EXPECT_EQ(trace_of(end, process::child), names{"status 0@main"});
  expect_accounted(end.stats, 0);
  expect_accounted(end.stats_of_fork, 0);
}

// Other threads call finalizers of the forking thread, and one whose thread has ended meanwhile.
THREADREF_SCENARIO(c089_while_threads_run_what_others_registered) {
  gate forked;
  std::array<gate, 3> inside;
  std::array<plain_finalizer<B>, 3> all;
  const auto add = [&](std::size_t i, exit_phase phase) {
    all[i] = finalize_in<B>(phase, [&in = inside[i], &forked] {
      in.open();
      forked.wait();
    });
  };
  seen<B>(out, "m1");
  add(0, exit_phase::last);
  add(1, exit_phase::very_last);
  gate made;
  os_thread ending([&] {
    add(2, exit_phase::last);
    made.open();
    inside[2].wait();
  });
  made.wait();
  std::deque<os_thread> callers;
  for (const auto& f : all) callers.emplace_back([&f] { f(); });
  for (gate& g : inside) g.wait();
  ending.join();
  const pid_t child = checked_fork();
  if (child != 0) return see_the_child(out, child, forked);
  seen<B>(out, "m2");
  finalize_in<B>(exit_phase::very_last, [&out] { out.note("m3"); });
  os_thread([&] {
    for (const auto& f : all) {
      f.wait();
      note_state<B>(out, f);
    }
    out.note("detached", detach_all<B>(stdout));
  }).join();
  std::exit(0);
}
TYPED_TEST(forks_in_runs, c089_while_threads_run_what_others_registered) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(trace_of(end, process::forked),
            (names{"gone@thread", "gone@thread", "gone@thread", "detached 0@thread", "m2@main",
                   "m1@main", "m3@main"}));
  EXPECT_EQ(trace_of(end, process::child), (names{"status 0@main", "m1@main"}));
  expect_accounted(end.stats, 0);
  expect_accounted(end.stats_of_fork, 0);
}

// The forking thread continues the finalizer of another thread that it calls.
THREADREF_SCENARIO(c090_inside_a_siblings_finalizer) {
  plain_finalizer<B> f;
  pid_t child = -1;
  gate made;
  gate called;
  os_thread sibling([&] {
    f = finalize<B>([&] {
      child = checked_fork();
      note_state<B>(out, f);
    });
    made.open();
    called.wait();
  });
  made.wait();
  f();
  note_state<B>(out, f);
  if (child == 0) std::exit(0);
  return see_the_child(out, child, called);
}
TYPED_TEST(forks_in_runs, c090_inside_a_siblings_finalizer) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(trace_of(end, process::forked), (names{"running@main", "gone@main"}));
  EXPECT_EQ(trace_of(end, process::child), (names{"running@main", "gone@main", "status 0@main"}));
  expect_accounted(end.stats, 0);
}

THREADREF_SCENARIO(c090_inside_ones_own_finalizer) {
  plain_finalizer<B> f;
  pid_t child = -1;
  f = finalize<B>([&] {
    child = checked_fork();
    note_state<B>(out, f);
  });
  f();
  note_state<B>(out, f);
  if (child == 0) std::exit(0);
  out.note(wait_for_fork(child).c_str());
  return 0;
}
TYPED_TEST(forks_in_runs, c090_inside_ones_own_finalizer) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(trace_of(end, process::forked), (names{"running@main", "gone@main"}));
  EXPECT_EQ(trace_of(end, process::child), (names{"running@main", "gone@main", "status 0@main"}));
  expect_accounted(end.stats, 0);
  expect_accounted(end.stats_of_fork, 0);
}

}  // namespace
}  // namespace threadref::conformance
