// SPDX-License-Identifier: MIT
// What programs do with threads every day: names, joins, and objects that are threads. Waits and
// locks are in threading_waits.cpp and threading_locks.cpp.
#include <absl/container/flat_hash_set.h>
#include <absl/strings/str_cat.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <latch>
#include <memory>
#include <string>
#include <vector>

#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/model/events.hpp"
#include "testing/check.hpp"
#include "testing/gate.hpp"
#include "workers/names.hpp"

namespace threadref::stress {

namespace of_threading {
namespace {

constexpr int some = 8;  // callbacks of a thread

// --- Names.

constinit thread_local int number_in_name = 0;
std::string name_of(int number) {
  return absl::StrCat("named-", number);
}

// Callbacks log the name of their thread, too.
void must_have_its_name(event_context& in) {
  if (workers::this_thread_name() != name_of(number_in_name))
    in.record_violation("a thread that ends does not have its name any more");
}

int names_stay(event_context& ctx) {
  struct known {
    std::string name;
    std::function<std::string()> asked;
  };
  std::vector<known> dead(static_cast<std::size_t>(ctx.size(10'000)));
  int next = 0;
  for (known& one : dead) {
    on_new_thread(ctx, [&] {
      number_in_name = ++next;
      one.name = name_of(number_in_name);
      workers::name_this_thread(one.name);
      one.asked = ctx.subject.name_of();
      ctx.attach(&must_have_its_name);
    });
  }
  absl::flat_hash_set<std::string> seen;
  for (const known& one : dead) {
    if (one.asked() != one.name)
      ctx.record_violation("a dead thread does not have its name any more");
    if (!seen.insert(one.asked()).second)
      ctx.record_violation("two dead threads have the same name");
  }
  return 0;
}

// --- Threads that the process waits for, and daemons.

[[noreturn]] void block_for_ever() {
  for (;;) pause();
}

// An atexit handler joins it, since it is no daemon.
posix_thread* waited_for = nullptr;
testing::gate process_ends;
std::atomic<int> callbacks_waited_for{some};

int daemon_vs_nondaemon(event_context& ctx) {
  static std::latch ready(2);
  auto* const daemon = new posix_thread(ctx, [&ctx] {
    // These may be lost.
    for (int i = 0; i != some; ++i) ctx.subject.attach(ctx.begin_attach().what);
    ready.count_down();
    block_for_ever();
  });
  daemon->detach();
  waited_for = new posix_thread(ctx, [&ctx] {
    ctx.attach(some, [](event_context& /*in*/) { --callbacks_waited_for; });
    ready.count_down();
    process_ends.wait();
  });
  ready.wait();
  const auto wait_for_it = [] {
    process_ends.open();
    waited_for->join();
  };
  THREADREF_CHECK(std::atexit(wait_for_it) == 0, "atexit");
  ctx.attach(some, [](event_context& in) {
    if (callbacks_waited_for.load() != some) in.record_misordered();
  });
  return 0;
}

// The oldest callback runs last, so waiting for it is waiting for all.
int join_daemon(event_context& ctx) {
  if (!has_exit_hook(ctx)) return 0;
  static testing::gate last_has_run;
  std::atomic<std::uint32_t> number{0};
  static kernel_end& end = *new kernel_end;
  posix_thread daemon(ctx, [&] {
    end.begin();
    ctx.attach([](event_context& /*in*/) { last_has_run.open(); });
    ctx.attach(some, [](event_context& in) {
      if (last_has_run.is_open()) in.record_misordered();
    });
    number.store(ctx.thread());
    number.notify_one();
  });
  daemon.detach();
  number.wait(0);
  bool over = false;
  while (!last_has_run.is_open() && !over) {
    over = end.try_wait();
    sched_yield();
  }
  ctx.note_joined(number.load());
  if (!over) end.wait();
  return 0;
}

// --- A join that times out while a callback is slow.

testing::gate slow_one_runs;
testing::gate slow_one_may_end;

// Checks nothing if the subject does not list threads.
void must_be_known_to_end(event_context& ctx, std::uint64_t identity) {
  if (ctx.subject.threads == nullptr) return;
  const std::vector<known_thread> all = ctx.subject.threads();
  const auto is_it = [identity](const known_thread& t) { return t.identity == identity; };
  const auto at = std::find_if(all.begin(), all.end(), is_it);
  if (at == all.end()) return ctx.record_violation("a thread that ends is not listed");
  if (!at->ends) ctx.record_violation("a thread that ends is listed as running");
  if (std::count_if(all.begin(), all.end(), is_it) != 1)
    ctx.record_violation("a thread that ends is listed twice");
}

int join_timeout(event_context& ctx) {
  if (!has_exit_hook(ctx)) return 0;
  std::uint64_t identity = 0;
  std::function<bool()> alive;
  posix_thread t(ctx, [&] {
    ctx.attach(some);
    if (ctx.subject.identity != nullptr) identity = ctx.subject.identity();
    if (ctx.subject.watch != nullptr) alive = ctx.subject.watch();
    ctx.attach([](event_context& /*in*/) {
      slow_one_runs.open();
      slow_one_may_end.wait();
    });
  });
  while (!slow_one_runs.is_open() && !t.try_join()) sched_yield();
  const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(10);
  if (t.join_until(soon)) {
    ctx.record_violation("a join returned while a callback of the thread ran");
  } else {
    must_be_known_to_end(ctx, identity);
    if (alive != nullptr && alive())
      ctx.record_violation("a reference to a thread that ends says that it is alive");
  }
  slow_one_may_end.open();
  t.join();
  return 0;
}

// --- All threads but this one.

constexpr std::size_t member_count = 16;

// Each member is joined by the identity under which it is listed.
int enumerate_join(event_context& ctx) {
  const bool all_end = ctx.condition() == 1;
  struct member {
    std::atomic<std::uint64_t> identity{0};
    std::unique_ptr<posix_thread> thread;
  };
  std::array<member, member_count> members;
  static testing::gate may_end;
  std::latch ready(member_count);
  ctx.attach();
  const std::uint64_t me = ctx.subject.identity();
  for (member& one : members) {
    one.thread = std::make_unique<posix_thread>(ctx, [&] {
      ctx.attach(some);
      one.identity.store(ctx.subject.identity());
      ready.count_down();
      may_end.wait();
    });
  }
  ready.wait();
  if (all_end) may_end.open();
  absl::flat_hash_set<std::uint64_t> joined;
  const std::vector<known_thread> listed = ctx.subject.threads();
  absl::flat_hash_set<std::uint64_t> seen;
  may_end.open();
  for (const known_thread& t : listed) {
    if (!seen.insert(t.identity).second) ctx.record_violation("a thread is listed twice");
    if (t.identity == me) continue;
    const auto at = std::find_if(members.begin(), members.end(), [&t](const member& one) {
      return one.identity.load() == t.identity;
    });
    if (at == members.end()) {
      ctx.record_violation("a thread is listed that never existed");
    } else {
      at->thread->join();
      joined.insert(t.identity);
    }
  }
  if (!seen.contains(me)) ctx.record_violation("the calling thread is not listed");
  if (!all_end && joined.size() != member_count)
    ctx.record_violation("a live thread is not listed");
  for (const known_thread& t : ctx.subject.threads()) {
    if (joined.contains(t.identity)) ctx.record_violation("a joined thread is listed");
  }
  for (member& one : members) one.thread->join();
  return 0;
}

// --- A thread that is an object, and owns itself.

class own_thread {
 public:
  own_thread() { alive.fetch_add(1); }
  own_thread(const own_thread&) = delete;
  own_thread& operator=(const own_thread&) = delete;
  virtual ~own_thread() { alive.fetch_sub(1); }
  // Called on its thread. The oldest callback deletes the object; if it is refused, this does.
  void live(event_context& ctx) {
    mine = this;
    const bool accepted = ctx.attach([](event_context& /*in*/) {
      delete mine;
      mine = nullptr;
    });
    accepted ? run(ctx) : delete this;
  }
  virtual void use(event_context& in) = 0;
  static inline std::atomic<int> alive{0};
  static inline constinit thread_local own_thread* mine = nullptr;

 private:
  virtual void run(event_context& ctx) = 0;
};

class named_thread final : public own_thread {
 public:
  explicit named_thread(int number) : name_(name_of(number)) {}
  void use(event_context& in) override {
    if (name_ != copy_) in.record_violation("a thread's object is not what its body left");
  }

 private:
  void run(event_context& ctx) override {
    copy_ = name_;
    ctx.attach(some,
               [](event_context& in) { mine == nullptr ? in.record_misordered() : mine->use(in); });
  }
  std::string name_;
  std::string copy_;
};

int subclass(event_context& ctx) {
  if (!has_exit_hook(ctx)) return 0;
  std::vector<std::unique_ptr<posix_thread>> all;
  for (int i = 0; i != ctx.size(200); ++i) {
    auto* const object = new named_thread(i);
    all.push_back(std::make_unique<posix_thread>(ctx, [&ctx, object] { object->live(ctx); }));
  }
  for (const auto& t : all) t->join();
  if (own_thread::alive.load() != 0) ctx.record_violation("a thread's object outlived it");
  return 0;
}

constexpr event rows[] = {
    // Shows: PM-03, PM-04.
    {.name = "threading/names",
     .asks = "can each of 10 000 threads be told by its name, while it ends and when it is dead?",
     .run = &names_stay,
     .checks = "112",
     .why_not = &needs_names},
    // Differs: PM-05: an atexit handler that waits for threads comes after main's callbacks, as it
    // comes after main's thread_locals; a program that wants it the other way round waits in
    // main().
    {.name = "threading/daemon_vs_nondaemon",
     .asks = "does a thread that an atexit handler waits for run its callbacks, and main's before?",
     .run = &daemon_vs_nondaemon,
     .checks = "76, 84"},
    // Shows: PM-06.
    {.name = "threading/join_daemon",
     .asks = "has a detached thread run all its callbacks when the oldest one says so?",
     .run = &join_daemon,
     .checks = "29, 65"},
    // Shows: PM-07.
    // Differs: PM-07: a thread whose callbacks run is neither alive nor ended: it is listed as one
    // that ends, and its refs read null.
    {.name = "threading/join_timeout",
     .asks = "does a join give up while a callback is slow, and succeed later?",
     .run = &join_timeout,
     .checks = "58"},
    // Shows: PM-08.
    {.name = "threading/enumerate_join",
     .asks = "are the threads that live listed once each, so that all can be joined?",
     .run = &enumerate_join,
     .conditions = {{{"before they end"}, {"while they end"}}},
     .checks = "15, 58",
     .why_not = &needs_threads},
    // Shows: PM-01, PM-02, PM-09.
    {.name = "threading/subclass",
     .asks = "can a thread's object be destroyed by its own thread's oldest callback?",
     .run = &subclass,
     .checks = "29"},
};

}  // namespace
}  // namespace of_threading

std::span<const event> threading_events() {
  return of_threading::rows;
}

}  // namespace threadref::stress
