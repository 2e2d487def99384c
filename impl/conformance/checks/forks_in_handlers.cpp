// SPDX-License-Identifier: MIT
// I. fork() beside fork handlers of other people. Those registered before the library's have their
// `prepare` called after the library's, and their `parent` and `child` before.
#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>

#include "conformance/harness/child.hpp"
#include "conformance/harness/suite.hpp"
#include "testing/check.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(forks_in_handlers);

enum class handler { prepare, parent, child };
// What the handlers call; empty in scenarios that need none. Leaked: forked processes end anywhere.
std::function<void(handler)>& in_handlers() {
  static auto* const work = new std::function<void(handler)>;
  return *work;
}
template <handler Which>
void call_in_handler() {
  if (in_handlers()) in_handlers()(Which);
}
// Before the library's static objects register its handlers.
struct early_handlers {
  early_handlers() noexcept
      : error(pthread_atfork(&call_in_handler<handler::prepare>, &call_in_handler<handler::parent>,
                             &call_in_handler<handler::child>)) {}
  int error;
};
[[gnu::init_priority(101)]] const early_handlers registered_early;

// Another thread, with what the handlers use of it.
template <class B>
struct sibling {
  plain_finalizer<B> known;
  plain_finalizer<B> called_in[3];
  basic_ref<B> life;
  gate ready;
  gate over;
  os_thread thread{[this] {
    known = finalize<B>([] {});
    for (auto& f : called_in) f = finalize<B>([] {});
    life = basic_ref<B>();
    ready.open();
    over.wait();
  }};
  sibling() { ready.wait(); }
};

// Everything that asks about other threads, and everything that takes a lock.
template <class B>
void use_everything(ledger& out, handler which, sibling<B>& other) {
  constexpr const char* names_of[] = {"prepare", "parent", "child"};
  out.note(names_of[static_cast<int>(which)]);
  out.note("forgotten", stats<B>().forgotten);
  seen<B>(out, which == handler::child ? "of child" : "of parent");
  out.note("threads", enumerate<B>().size());
  out.note(current<B>() ? "current" : "nobody");
  out.note(other.known.alive() ? "alive" : "gone");
  out.note(other.life() ? "lives" : "is dead");
  out.note(other.called_in[static_cast<int>(which)]() ? "called" : "not called");
  trim<B>();
}

// `of_forker`: what the forking thread does before.
template <class B, class F>
int fork_with_handlers_that_use_everything(ledger& out, F of_forker) {
  THREADREF_CHECK_CALL(registered_early.error);
  auto& other = *new sibling<B>;
  in_handlers() = [&](handler which) { use_everything<B>(out, which, other); };
  os_thread([&] {
    of_forker();
    const pid_t child = checked_fork();
    if (child != 0) out.note(wait_for_fork(child).c_str());
  }).join();
  other.over.open();
  other.thread.join();
  return 0;
}
names with_all(names first, const names& rest, const char* at) {
  for (const std::string& n : rest) first.push_back(n + at);
  return first;
}
// The threads are main, the other one and the forking one.
const names in_prepare = {"prepare", "forgotten 0", "threads 3", "current",
                          "alive",   "lives",       "called"};
const names in_parent = {"parent", "forgotten 0", "threads 3", "current",
                         "alive",  "lives",       "called"};
// The other thread's first one was called in `prepare`.
const names in_child = {"child", "forgotten 3", "threads 1", "current",
                        "gone",  "is dead",     "not called"};

THREADREF_SCENARIO(c090_in_a_handler_that_uses_the_library) {
  return fork_with_handlers_that_use_everything<B>(out, [&out] { seen<B>(out, "w1"); });
}
TYPED_TEST(forks_in_handlers, c090_in_a_handler_that_uses_the_library) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(trace_of(end, process::child),
            with_all(with_all(with_all({}, in_prepare, "@thread"), in_parent, "@thread"),
                     {"status 0", "of parent", "of parent", "w1"}, "@thread"));
  EXPECT_EQ(trace_of(end, process::forked),
            with_all(with_all({}, in_child, "@main"), {"of child", "of parent", "w1"}, "@main"));
  expect_accounted(end.stats, 0);
  expect_accounted(end.stats_of_fork, 0);
}

// The same on a thread that the library does not know before.
THREADREF_SCENARIO(c090_in_a_handler_on_a_new_thread) {
  return fork_with_handlers_that_use_everything<B>(out, [] {});
}
TYPED_TEST(forks_in_handlers, c090_in_a_handler_on_a_new_thread) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(trace_of(end, process::child),
            with_all(with_all(with_all({}, in_prepare, "@thread"), in_parent, "@thread"),
                     {"status 0", "of parent", "of parent"}, "@thread"));
  EXPECT_EQ(trace_of(end, process::forked),
            with_all(with_all({}, in_child, "@main"), {"of child", "of parent"}, "@main"));
  expect_accounted(end.stats, 0);
  expect_accounted(end.stats_of_fork, 0);
}

// A first registration in the child, before the library's own handler.
THREADREF_SCENARIO(c090_in_the_childs_handler_only) {
  in_handlers() = [&out](handler which) {
    if (which != handler::child) return;
    seen<B>(out, "m1");
    os_thread([&out] { seen<B>(out, "w1"); }).join();
    out.note("threads", enumerate<B>().size());
  };
  start_blocked<B>(out, "o1");
  const pid_t child = checked_fork();
  if (child != 0) {
    out.note(wait_for_fork(child).c_str());
  } else {
    out.note("threads", enumerate<B>().size());
    out.note("forgotten", stats<B>().forgotten);
  }
  return 0;
}
TYPED_TEST(forks_in_handlers, c090_in_the_childs_handler_only) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(trace_of(end, process::child), names{"status 0@main"});
  EXPECT_EQ(trace_of(end, process::forked), (names{"w1@thread", "threads 1@main", "threads 1@main",
                                                   "forgotten 1@main", "m1@main"}));
  expect_accounted(end.stats_of_fork, 0);
}

// A thread that is started there is not one that vanished. If the library has not been used there
// before, that thread waits until the library's own handler has been called.
template <class B>
int fork_with_a_thread_of_the_handler(ledger& out, bool uses_it_before) {
  static std::unique_ptr<os_thread> started;
  static gate registered;
  static gate over;
  in_handlers() = [&out, uses_it_before](handler which) {
    if (which != handler::child) return;
    if (uses_it_before) static_cast<void>(enumerate<B>());
    started = std::make_unique<os_thread>([&out] {
      seen<B>(out, "w1");
      registered.open();
      over.wait();
    });
    if (uses_it_before) registered.wait();
  };
  start_blocked<B>(out, "o1");
  const pid_t child = checked_fork();
  if (child != 0) {
    out.note(wait_for_fork(child).c_str());
    return 0;
  }
  over.open();
  started->join();
  out.note("forgotten", stats<B>().forgotten);
  std::exit(0);
}
void expect_of_the_thread(const outcome& end) {
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(trace_of(end, process::child), names{"status 0@main"});
  EXPECT_EQ(trace_of(end, process::forked), (names{"w1@thread", "forgotten 1@main"}));
  expect_accounted(end.stats_of_fork, 0);
}
THREADREF_SCENARIO(c090_in_the_childs_handler_that_starts_a_thread) {
  return fork_with_a_thread_of_the_handler<B>(out, true);
}
TYPED_TEST(forks_in_handlers, c090_in_the_childs_handler_that_starts_a_thread) {
  expect_of_the_thread(play<TypeParam>());
}
THREADREF_SCENARIO(c090_in_the_childs_handler_that_only_starts_a_thread) {
  return fork_with_a_thread_of_the_handler<B>(out, false);
}
TYPED_TEST(forks_in_handlers, c090_in_the_childs_handler_that_only_starts_a_thread) {
  expect_of_the_thread(play<TypeParam>());
}

// A handler that forks as well: the inner fork is over before the outer one is made.
THREADREF_SCENARIO(c090_in_a_handler_that_forks) {
  in_handlers() = [&out](handler which) {
    static bool is_inner = false;
    if (which != handler::prepare || is_inner) return;
    is_inner = true;
    const pid_t child = checked_fork();
    if (child == 0) {
      out.note("threads", enumerate<B>().size());
    } else {
      out.note(wait_for_fork(child).c_str());
    }
  };
  start_blocked<B>(out, "o1");
  const pid_t child = checked_fork();
  if (child != 0) {
    out.note(wait_for_fork(child).c_str());
    return 0;
  }
  out.note("threads", enumerate<B>().size());
  seen<B>(out, "m1");
  std::exit(0);
}
TYPED_TEST(forks_in_handlers, c090_in_a_handler_that_forks) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(trace_of(end, process::child), (names{"status 0@main", "status 0@main"}));
  // The inner child, its child, which is made by the outer fork, and the outer child.
  EXPECT_EQ(count(end, "fork: threads 0@main"), 3U);
  EXPECT_EQ(count(end, "fork: m1@main"), 2U);
  EXPECT_EQ(count(end, "fork: status 0@main"), 1U);
}

// The pattern of pthread_atfork's manual page: `prepare` takes a lock, under which others register.
THREADREF_SCENARIO(c089_beside_a_handler_that_waits_for_who_registers) {
  static pthread_mutex_t theirs = PTHREAD_MUTEX_INITIALIZER;
  static std::atomic<bool> is_forking{false};
  in_handlers() = [](handler which) {
    is_forking = true;
    if (which == handler::prepare) {
      pthread_mutex_lock(&theirs);
    } else {
      pthread_mutex_unlock(&theirs);
    }
  };
  gate locked;
  os_thread other([&] {
    pthread_mutex_lock(&theirs);
    locked.open();
    while (!is_forking) sched_yield();
    seen<B>(out, "o1");
    os_thread([&out] { seen<B>(out, "t1"); }).join();
    pthread_mutex_unlock(&theirs);
  });
  locked.wait();
  const pid_t child = checked_fork();
  if (child == 0) {
    seen<B>(out, "m1");
    std::exit(0);
  }
  out.note(wait_for_fork(child).c_str());
  return 0;
}
TYPED_TEST(forks_in_handlers, c089_beside_a_handler_that_waits_for_who_registers) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(trace_of(end, process::forked), names{"m1@main"});
  for (const char* n : {"t1@thread", "o1@thread", "status 0@main"}) EXPECT_EQ(count(end, n), 1U);
  expect_accounted(end.stats, 0);
  expect_accounted(end.stats_of_fork, 0);
}

}  // namespace
}  // namespace threadref::conformance
