// SPDX-License-Identifier: MIT
// Registrations while a thread or the process ends.
#include <pthread.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <mutex>

#include "stress/matrix/child/foreign.hpp"
#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/model/events.hpp"
#include "testing/check.hpp"
#include "threadref/config.hpp"

namespace threadref::stress {

namespace of_late {
namespace {

constexpr int some = 4;  // callbacks before and after

void one_more(event_context& ctx) {
  ctx.attach();
}

std::atomic<int> chain_left{0};
void next_of_chain(event_context& ctx) {
  if (chain_left.fetch_sub(1) > 0) ctx.attach(&next_of_chain);
}

int in_a_callback(event_context& ctx) {
  on_new_thread(ctx, [&ctx] {
    ctx.attach(some);
    if (ctx.condition() == 0) ctx.attach(&one_more);
    if (ctx.condition() == 1)
      ctx.attach(some, [](event_context& in) { in.attach(some, &one_more); });
    if (ctx.condition() > 1) {
      chain_left.store(ctx.condition() == 2 ? 10 : ctx.size(10'000));
      ctx.attach(&next_of_chain);
    }
    ctx.attach(some);
  });
  return 0;
}

// Not recorded, and so not graded: the question is only whether the thread ends.
void another(void* in) {
  static_cast<event_context*>(in)->subject.attach({&another, in});
}

int for_ever(event_context& ctx) {
  on_new_thread(ctx, [&ctx] {
    ctx.subject.attach({&another, &ctx});
    ctx.attach(some);
  });
  return 0;
}

int in_a_thread_local(event_context& ctx) {
  const bool made_before = ctx.condition() % 2 == 0;
  on_new_thread(ctx, ctx.condition() < 2 ? thread_factory::posix : thread_factory::boost, [&] {
    const auto work = [&ctx] { ctx.attach(some); };
    if (made_before) at_thread_local_end(work);
    ctx.attach(some);
    if (!made_before) at_thread_local_end(work);
  });
  return 0;
}

constexpr int last_round = detail::destructor_rounds;

int in_a_key(event_context& ctx) {
  const pthread_key_t key = ctx.condition() == 0 ? older_key() : younger_key(ctx);
  key_task each(last_round - 1, [&ctx](int /*round*/) { ctx.attach(); });
  on_new_thread(ctx, [&] {
    each.arm(key);
    ctx.attach(some);
  });
  return 0;
}

int in_the_last_round(event_context& ctx) {
  const pthread_key_t key = ctx.condition() == 0 ? older_key() : younger_key(ctx);
  key_task last(last_round, [&ctx](int round) {
    if (round == last_round) ctx.attach();
  });
  on_new_thread(ctx, [&] {
    last.arm(key);
    ctx.attach(some);
  });
  return 0;
}

int first_in_the_last_round(event_context& ctx) {
  const pthread_key_t key = younger_key(ctx);
  key_task last(last_round, [&ctx](int round) {
    if (round == last_round) ctx.attach();
  });
  on_new_thread(ctx, [&] { last.arm(key); });
  return 0;
}

int in_atexit(event_context& ctx) {
  THREADREF_CHECK(std::atexit([] { event_context::current().attach(some); }) == 0, "atexit");
  if (ctx.condition() == 1) ctx.attach(some);
  return 0;
}

// Runs after all atexit handlers.
std::atomic<event_context*> at_the_very_end{nullptr};
[[gnu::destructor]] void after_the_others() {
  if (event_context* const ctx = at_the_very_end.load(); ctx != nullptr) ctx->attach(some);
}

int after_the_stage(event_context& ctx) {
  if (ctx.condition() == 1) ctx.attach(some);
  at_the_very_end.store(&ctx);
  return 0;
}

// As a logger does.
std::mutex log_lock;
int uses_the_library(event_context& ctx) {
  on_new_thread(ctx, [&ctx] {
    ctx.attach(some, [](event_context& in) {
      const std::scoped_lock locked(log_lock);
      std::cout << "a callback of thread " << in.thread() << '\n';
      std::printf("has run\n");
      in.attach();
      if (in.subject.watch == nullptr) return;
      if (const auto alive = in.subject.watch(); alive != nullptr && alive())
        in.record_violation("a reference to a thread that ends says that it is alive");
      if (in.subject.threads().empty())
        in.record_violation("a thread that ends is not listed among those that are alive");
    });
  });
  return 0;
}

// Frees what the last caller on this thread has allocated, and allocates: called in each place
// where a thread may run code.
void allocate(event_context& ctx) {
  static constinit thread_local std::array<unsigned char*, 8> stored{};
  constexpr std::size_t size = 1'000;
  for (unsigned char*& one : stored) {
    if (one != nullptr && (one[0] != 7 || one[size - 1] != 7))
      ctx.record_violation("memory was overwritten");
    std::free(one);
    one = static_cast<unsigned char*>(std::malloc(size));
    THREADREF_CHECK(one != nullptr, "malloc");
    one[0] = one[size - 1] = 7;
  }
}

int allocates(event_context& ctx) {
  const pthread_key_t key = ctx.condition() == 0 ? older_key() : younger_key(ctx);
  key_task rounds(last_round - 1, [&ctx](int /*round*/) {
    allocate(ctx);
    ctx.attach(&allocate);
  });
  on_new_thread(ctx, [&] {
    rounds.arm(key);
    at_thread_local_end([&ctx] { allocate(ctx); });
    ctx.attach(some, &allocate);
    allocate(ctx);
  });
  return 0;
}

// A callback detaches a pending sibling, or itself.
std::function<bool()> detach;

int detaches(event_context& ctx) {
  on_new_thread(ctx, [&ctx] {
    ctx.attach(some);
    if (ctx.condition() == 0) {
      detach = ctx.attach_detachable();
      ctx.attach([](event_context& in) {
        if (!detach()) in.record_violation("a pending callback could not be detached");
      });
    } else {
      detach = ctx.attach_detachable([](event_context& in) {
        if (detach()) in.record_violation("a callback was detached while it ran");
      });
    }
    ctx.attach(some);
  });
  return 0;
}

void set_value(event_context& ctx, void (*then)(event_context&)) {
  const event_context::attempt tried = ctx.begin_attach(then);
  event_context::end_attach(tried, ctx.subject.set_value(tried.what));
}

int sets_its_value(event_context& ctx) {
  if (ctx.subject.set_value == nullptr) {
    ctx.record_absent("it keeps a list, and no value that could be set again");
    return 0;
  }
  on_new_thread(ctx, ctx.condition() == 0 ? thread_factory::posix : thread_factory::boost, [&ctx] {
    ctx.attach(some);
    set_value(ctx, [](event_context& in) { set_value(in, nullptr); });
  });
  return 0;
}

constexpr event rows[] = {
    {.name = "late/in_callback",
     .asks = "does what a callback registers run in the same exit?",
     .run = &in_a_callback,
     .conditions =
         {{{"one"}, {"many that each register one"}, {"a chain of 10"}, {"a chain of 10 000"}}},
     .checks = "37, 38"},
    {.name = "late/for_ever",
     .asks = "does a thread end although a callback always registers another?",
     .run = &for_ever,
     .checks = "39",
     .cpu_seconds_given = 5,
     .slow = true},
    {.name = "late/thread_local",
     .asks = "does what a thread_local's destructor registers?",
     .run = &in_a_thread_local,
     .conditions = {{{"made before the first callback"},
                     {"made after"},
                     {"made before, on a boost::thread"},
                     {"made after, on a boost::thread"}}},
     .checks = "42",
     .bugs = {14, 15}},
    {.name = "late/foreign_key",
     .asks = "does what a foreign key's destructor registers, in each round but the last?",
     .run = &in_a_key,
     .conditions = {{{"lower index"}, {"higher index"}}},
     .checks = "43, 107",
     .bugs = {14, 17}},
    {.name = "late/after_drain",
     .asks = "does what it registers in the last round, when the drain may be over?",
     .run = &in_the_last_round,
     .conditions = {{{"lower index"}, {"higher index"}}},
     .checks = "43, 107",
     .promise = outcome::refused},
    {.name = "late/first_in_last_round",
     .asks = "does what it registers there, if the thread had nothing before?",
     .run = &first_in_the_last_round,
     .checks = "43, 107",
     .promise = outcome::lost,
     .not_under_tsan = "it ends a thread in that round"},
    {.name = "late/atexit",
     .asks = "does what an atexit handler registers on main?",
     .run = &in_atexit,
     .conditions = {{{"for the first time"}, {"again"}}},
     .checks = "44, 82"},
    {.name = "late/after_exit_stage",
     .asks = "does what main registers after all atexit handlers?",
     .run = &after_the_stage,
     .conditions = {{{"for the first time"}, {"again"}}},
     .checks = "44",
     .promise = outcome::refused},
    // Shows.
    {.name = "late/uses_library",
     .asks = "can a callback log, lock, register, and ask about its thread?",
     .run = &uses_the_library,
     .checks = "114",
     .bugs = {20}},
    {.name = "late/allocates",
     .asks = "can callbacks free what the body allocated, and allocate, wherever they run?",
     .run = &allocates,
     .conditions = {{{"lower index"}, {"higher index"}}},
     .checks = "114",
     .bugs = {18, 19}},
    {.name = "late/detaches",
     .asks = "can a callback detach a pending sibling, and not itself?",
     .run = &detaches,
     .conditions = {{{"a sibling"}, {"itself"}}},
     .checks = "24, 25",
     .bugs = {32},
     .why_not = &needs_detaching},
    {.name = "late/sets_own_value",
     .asks = "does the destructor run again for the value that it sets?",
     .run = &sets_its_value,
     .conditions = {{{"pthread_create"}, {"boost::thread"}}},
     .checks = "41",
     .bugs = {32}},
};

}  // namespace
}  // namespace of_late

std::span<const event> late_events() {
  return of_late::rows;
}

}  // namespace threadref::stress
