// SPDX-License-Identifier: MIT
// The identity of a thread, while it ends and afterwards.
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "stress/matrix/child/foreign.hpp"
#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/model/events.hpp"
#include "threadref/config.hpp"

namespace threadref::stress {

namespace of_identity {
namespace {

constexpr int some = 4;  // callbacks of a thread
constexpr int successors = 10'000;

// Leaked: callbacks may run after everything else.
auto& refs = *new std::vector<std::function<bool()>>;

int dead_in_callbacks(event_context& ctx) {
  on_new_thread(ctx, [&ctx] {
    for (int i = 0; i != 5; ++i) refs.push_back(ctx.subject.watch());
    for (const auto& alive : refs) {
      if (!alive()) ctx.record_violation("a reference to a running thread says that it is dead");
    }
    ctx.attach(some, [](event_context& in) {
      for (const auto& alive : refs) {
        if (alive()) in.record_violation("a reference to a thread that ends says that it is alive");
      }
    });
  });
  return 0;
}

// No mechanism here fails this row or the next: those that know a thread by its pthread_t offer no
// references and no identities. starts_with_nothing asks what they do instead.
int ref_stays_dead(event_context& ctx) {
  std::function<bool()> alive;
  pthread_t had{};
  on_new_thread(ctx, [&] {
    ctx.attach();
    alive = ctx.subject.watch();
    had = pthread_self();
  });
  int same = 0;
  for (int i = 0; i != ctx.size(successors); ++i) {
    on_new_thread(ctx, [&] {
      if (pthread_equal(pthread_self(), had) != 0) ++same;
      ctx.attach();
      if (alive())
        ctx.record_violation("a reference to a dead thread mistakes a later thread for it");
    });
    if (alive()) ctx.record_violation("a reference to a dead thread says that it is alive");
  }
  if (same == 0) ctx.record_absent("no later thread had the pthread_t of the first thread");
  return 0;
}

int never_twice(event_context& ctx) {
  std::set<std::uint64_t> seen;
  for (int i = 0; i != ctx.size(successors); ++i) {
    on_new_thread(ctx, [&] {
      ctx.attach();
      const std::uint64_t me = ctx.subject.identity();
      if (me == 0) ctx.record_violation("a thread that registered has no identity");
      if (!seen.insert(me).second) ctx.record_violation("two threads have the same identity");
    });
  }
  return 0;
}

std::atomic<std::uint64_t> identity_of_body{0};

// Late, the thread may have no identity, but never that of another thread.
void ask_late(event_context& ctx) {
  const std::uint64_t now = ctx.subject.identity();
  if (now != 0 && now != identity_of_body.load())
    ctx.record_violation("a thread that ends has the identity of another thread");
}
void ask(event_context& ctx) {
  if (ctx.subject.identity() != identity_of_body.load())
    ctx.record_violation("a callback sees another identity than the body of its thread, or none");
}

int who_am_i(event_context& ctx) {
  const pthread_key_t key = ctx.condition() == 0 ? older_key() : younger_key(ctx);
  key_task rounds(detail::destructor_rounds, [&ctx](int /*round*/) { ask_late(ctx); });
  on_new_thread(ctx, [&] {
    at_thread_local_end([&ctx] { ask_late(ctx); });
    rounds.arm(key);
    ctx.attach(some, &ask);
    identity_of_body.store(ctx.subject.identity());
  });
  return 0;
}

int starts_with_nothing(event_context& ctx) {
  const auto has_some = [&ctx] {
    return ctx.subject.pending != nullptr ? ctx.subject.pending() != 0
                                          : ctx.subject.identity() != 0;
  };
  if (ctx.subject.pending == nullptr && ctx.subject.identity == nullptr) {
    ctx.record_absent("it does not say what a thread has");
    return 0;
  }
  for (int i = 0; i != 50; ++i) {
    on_new_thread(ctx, [&] {
      if (has_some()) ctx.record_violation("a new thread found what a dead one had");
      ctx.attach(some);
    });
  }
  return 0;
}

std::atomic<std::size_t> ended_count{0};
void count_end(event_context& /*in*/) {
  ended_count.fetch_add(1);
}

// Threads that end when they are released.
class members {
 public:
  members(event_context& ctx, std::size_t count) : may_end_(count) {
    for (std::atomic<bool>& may_end : may_end_) {
      threads_.push_back(std::make_unique<posix_thread>(ctx, [this, &ctx, &may_end] {
        ctx.attach(&count_end);
        registered_.fetch_add(1);
        may_end.wait(false);
      }));
    }
    while (registered_.load() != count) sched_yield();
  }
  void release(std::size_t i) {
    may_end_[i].store(true);
    may_end_[i].notify_one();
  }
  void join(std::size_t i) { threads_[i]->join(); }

 private:
  std::atomic<std::size_t> registered_{0};
  std::vector<std::atomic<bool>> may_end_;
  std::vector<std::unique_ptr<posix_thread>> threads_;
};

void count_one_by_one(event_context& ctx) {
  constexpr std::size_t count = 16;
  const std::size_t others = ctx.subject.threads().size();
  members all(ctx, count);
  for (std::size_t ended = 0; ended != count; ++ended) {
    if (ctx.subject.threads().size() != others + count - ended)
      ctx.record_violation("a live thread is not counted");
    all.release(ended);
    all.join(ended);
    if (ended_count.load() != ended + 1) ctx.record_violation("a thread that ended is not counted");
  }
  if (ctx.subject.threads().size() != others)
    ctx.record_violation("a thread that ended is still counted as alive");
}

void count_while_they_end(event_context& ctx) {
  constexpr std::size_t count = 4;
  for (int round = 0; round != ctx.size(60); ++round) {
    const std::size_t others = ctx.subject.threads().size();
    ended_count.store(0);
    members all(ctx, count);
    for (std::size_t i = 0; i != count; ++i) all.release(i);
    // Not for ever: a lost callback is never counted.
    for (int tries = 0; tries != 10'000 && ended_count.load() != count; ++tries) {
      // Reads those that are alive first, so that a thread that ends in between is counted as
      // ended.
      const std::size_t alive = ctx.subject.threads().size() - others;
      if (alive + ended_count.load() < count)
        ctx.record_violation("a thread that ends is counted neither alive nor ended");
    }
    for (std::size_t i = 0; i != count; ++i) all.join(i);
  }
}

int is_counted_once(event_context& ctx) {
  ctx.condition() == 0 ? count_one_by_one(ctx) : count_while_they_end(ctx);
  return 0;
}

// A thread owns it, and readers on other threads use it without a lock.
struct shared_node {
  std::atomic<int> value{7};
};
std::atomic<shared_node*> published{nullptr};
std::mutex inherited_lock;
auto& inherited = *new std::vector<shared_node*>;

int hands_over(event_context& ctx) {
  std::atomic<int> reads{0};
  std::atomic<bool> over{false};
  const posix_thread reader(ctx, [&] {
    while (!over.load()) {
      if (const shared_node* const n = published.load(); n != nullptr && n->value.load() != 7)
        ctx.record_violation("what a reader still used was freed");
      reads.fetch_add(1);
    }
  });
  for (int i = 0; i != ctx.size(100); ++i) {
    on_new_thread(ctx, [&ctx] {
      published.store(new shared_node);
      ctx.attach([](event_context& /*in*/) {
        const std::scoped_lock locked(inherited_lock);
        inherited.push_back(published.load());
      });
    });
    const int before = reads.load();
    while (reads.load() < before + 2) sched_yield();
    published.store(nullptr);
    // One more turn, so that the reader no longer uses it.
    const int last = reads.load();
    while (reads.load() < last + 2) sched_yield();
    const std::scoped_lock locked(inherited_lock);
    for (const shared_node* n : inherited) delete n;
    inherited.clear();
  }
  over.store(true);
  return 0;
}

constexpr event rows[] = {
    // Shows: R-09.
    {.name = "identity/dead_in_callbacks",
     .asks = "does a thread's reference say that it is dead when its first callback runs?",
     .run = &dead_in_callbacks,
     .checks = "5, 6",
     .why_not = &needs_watching},
    // Shows.
    {.name = "identity/ref_stays_dead",
     .asks = "does it for ever, while successors get its pthread_t and its stack?",
     .run = &ref_stays_dead,
     .checks = "2, 60",
     .bugs = {24},
     .why_not = &needs_watching},
    // Shows: R-28.
    {.name = "identity/never_twice",
     .asks = "has each thread an identity that no other one ever has?",
     .run = &never_twice,
     .checks = "1",
     .bugs = {24},
     .why_not = &needs_identity},
    // Differs: R-17: it keeps its identity to the end, and leaves nothing behind.
    {.name = "identity/who_am_i",
     .asks = "is a callback told who its thread is, and nothing else ever that it is another?",
     .run = &who_am_i,
     .conditions = {{{"asked in a key with a lower index too"}, {"in one with a higher index"}}},
     .checks = "45",
     .bugs = {21},
     .why_not = &needs_identity},
    {.name = "identity/starts_with_nothing",
     .asks = "does a new thread start without what a dead one had?",
     .run = &starts_with_nothing,
     .checks = "1",
     .bugs = {24}},
    {.name = "identity/counted_once",
     .asks = "is each thread counted as living or as ended, and once?",
     .run = &is_counted_once,
     .conditions = {{{"one by one"}, {"while they end"}}},
     .checks = "58",
     .bugs = {28},
     .why_not = &needs_threads},
    {.name = "identity/hands_over",
     .asks = "can a callback hand over what readers of other threads still use?",
     .run = &hands_over,
     .checks = "113",
     .bugs = {31}},
};

}  // namespace
}  // namespace of_identity

std::span<const event> identity_events() {
  return of_identity::rows;
}

}  // namespace threadref::stress
