// SPDX-License-Identifier: MIT
// The order of callbacks, and of what else runs or is destroyed then.
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "stress/matrix/child/foreign.hpp"
#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/child/thread_factories_boost.hpp"
#include "stress/matrix/model/events.hpp"
#include "testing/check.hpp"

namespace threadref::stress {

namespace of_order {
namespace {

constexpr int some = 4;  // callbacks before and after

int newest_first(event_context& ctx) {
  constexpr int counts[] = {2, 100, 10'000};
  std::uint32_t number = 0;
  on_new_thread(ctx, [&] {
    ctx.attach(counts[ctx.condition()]);
    number = ctx.thread();
  });
  ctx.expect_newest_first(number);
  return 0;
}

int two_at_once(event_context& ctx) {
  std::atomic<int> registered{0};
  std::array<std::uint32_t, 2> numbers{};
  const auto body = [&](std::uint32_t& number) {
    number = ctx.thread();
    for (int i = 0; i != ctx.size(500); ++i) ctx.attach();
    registered.fetch_add(1);
    while (registered.load() != 2) sched_yield();
  };
  {
    const posix_thread one(ctx, [&] { body(numbers[0]); });
    const posix_thread two(ctx, [&] { body(numbers[1]); });
  }
  for (const std::uint32_t number : numbers) ctx.expect_newest_first(number);
  return 0;
}

// One in three is detached.
int some_are_detached(event_context& ctx) {
  std::uint32_t number = 0;
  on_new_thread(ctx, [&] {
    number = ctx.thread();
    for (int i = 0; i != 100; ++i) {
      const auto detach = ctx.attach_detachable();
      if (i % 3 == 0 && detach != nullptr && !detach())
        ctx.record_violation("a callback was gone while its thread lives");
    }
  });
  ctx.expect_newest_first(number);
  return 0;
}

// What a callback registers runs before the callbacks that are older.
int late_is_next(event_context& ctx) {
  std::uint32_t number = 0;
  on_new_thread(ctx, [&] {
    number = ctx.thread();
    ctx.attach(some);
    ctx.attach([](event_context& in) { in.attach(some); });
  });
  // The record is in the order of registration. So the late ones come last in it, after the
  // callback that registers them.
  const event_record& m = ctx.record();
  const std::uint32_t last_of_others = m.registrations[some - 1].stamp.load();
  for (std::uint32_t i = some + 1; i != m.used.load(); ++i) {
    const std::uint32_t stamp = m.registrations[i].stamp.load();
    if (stamp != 0 && last_of_others != 0 && stamp > last_of_others) ctx.record_misordered();
  }
  return 0;
}

// Destroyed when the body returns or is unwound.
struct stack_object {
  event_context& ctx;
  std::atomic<std::uint32_t>& stamp;
  explicit stack_object(event_context& in, std::atomic<std::uint32_t>& at) noexcept
      : ctx(in), stamp(at) {}
  ~stack_object() { stamp.store(ctx.stamp()); }
  stack_object(const stack_object&) = delete;
  stack_object& operator=(const stack_object&) = delete;
};

int after_the_stack(event_context& ctx) {
  std::atomic<std::uint32_t> gone{0};
  on_new_thread(ctx, [&] {
    const stack_object before(ctx, gone);
    ctx.attach(some);
    const stack_object after(ctx, gone);
    if (ctx.condition() == 1) pthread_exit(nullptr);
  });
  for (const registration& l : ctx.record().registrations) {
    const std::uint32_t stamp = l.stamp.load();
    if (stamp != 0 && stamp < gone.load()) ctx.record_misordered();
  }
  return 0;
}

// Keys of others, whose destructor does nothing.
struct foreign_keys {
  std::array<pthread_key_t, 8> keys{};
  foreign_keys() {
    for (pthread_key_t& k : keys)
      THREADREF_CHECK_CALL(pthread_key_create(&k, [](void* /*value*/) {}));
  }
  void set(const void* value) const {
    for (const pthread_key_t k : keys) THREADREF_CHECK_CALL(pthread_setspecific(k, value));
  }
  [[nodiscard]] bool all_are(const void* value) const {
    return std::all_of(keys.begin(), keys.end(),
                       [value](pthread_key_t k) { return pthread_getspecific(k) == value; });
  }
};

int beside_foreign_keys(event_context& ctx) {
  enum condition { keys_before, keys_between, keys_after, boost_between };
  const auto now = [&ctx](condition c) { return ctx.condition() == c; };
  std::uint32_t number = 0;
  on_new_thread(ctx, [&] {
    number = ctx.thread();
    if (now(keys_before)) foreign_keys().set(&ctx);
    ctx.attach(some);
    if (now(keys_between)) foreign_keys().set(&ctx);
    if (now(boost_between) && !at_boost_tss_end([] {}))
      ctx.record_absent("Boost.Thread is not in this build");
    ctx.attach(some);
    if (now(keys_after)) foreign_keys().set(&ctx);
  });
  ctx.expect_newest_first(number);
  return 0;
}

// The C library clears values key by key while a thread ends, so destructors that come later find
// them null.
int sees_foreign_values(event_context& ctx) {
  static const foreign_keys* seen = nullptr;
  if (ctx.condition() == 1) younger_key(ctx);
  seen = new foreign_keys;
  on_new_thread(ctx, [&ctx] {
    seen->set(&ctx);
    ctx.attach(some, [](event_context& in) {
      if (!seen->all_are(&in)) in.record_misordered();
    });
  });
  return 0;
}

constinit thread_local int trivial = 0;

int sees_thread_locals(event_context& ctx) {
  on_new_thread(ctx, [&ctx] {
    trivial = 7;
    ctx.attach(some, [](event_context& in) {
      if (trivial != 7)
        in.record_violation("a thread_local has not the value that the body gave it");
    });
  });
  return 0;
}

// A thread_local with a destructor, whose `is_gone` can be read after that.
constinit thread_local bool is_gone = false;
struct with_destructor {
  with_destructor() = default;
  ~with_destructor() { is_gone = true; }
  with_destructor(const with_destructor&) = delete;
  with_destructor& operator=(const with_destructor&) = delete;
};
void construct_one() {
  static thread_local const with_destructor one;
  static_cast<void>(&one);
}
void need_it(event_context& ctx) {
  if (is_gone) ctx.record_misordered();
}

// The thread_local is made before the callback is registered. Another library may have registered
// before both.
using way_to_attach = bool (event_context::*)(void (*)(event_context&));
int needs_a_thread_local(event_context& ctx, way_to_attach attach) {
  enum { alone, another_was_first, on_main };
  const auto body = [&ctx, attach] {
    if (ctx.condition() == another_was_first) (ctx.*attach)(nullptr);
    construct_one();
    (ctx.*attach)(&need_it);
  };
  ctx.condition() == on_main ? body() : on_new_thread(ctx, body);
  return 0;
}
int uses_a_thread_local(event_context& ctx) {
  return needs_a_thread_local(ctx, &event_context::attach);
}
int early_uses_a_thread_local(event_context& ctx) {
  return needs_a_thread_local(ctx, &event_context::attach_early);
}

// Its destructor is a registration with the C library, and is recorded like one with the subject.
struct recorded_end {
  explicit recorded_end(event_context& ctx) : what(ctx.begin_attach()) {
    event_context::end_attach(what, true);
  }
  ~recorded_end() { what.what.run(what.what.with); }
  recorded_end(const recorded_end&) = delete;
  recorded_end& operator=(const recorded_end&) = delete;
  event_context::attempt what;
};

int makes_a_thread_local(event_context& ctx) {
  on_new_thread(ctx, [&ctx] {
    ctx.attach([](event_context& in) {
      static thread_local const recorded_end first_used_here(in);
      static_cast<void>(&first_used_here);
    });
  });
  return 0;
}

constexpr event rows[] = {
    // Shows: F-16.
    {.name = "order/newest_first",
     .asks = "do a thread's callbacks run newest first?",
     .run = &newest_first,
     .conditions = {{{"2"}, {"100"}, {"10 000"}}},
     .checks = "29"},
    {.name = "order/two_threads",
     .asks = "do those of each of two threads that end at once?",
     .run = &two_at_once,
     .checks = "32"},
    {.name = "order/detached_between",
     .asks = "do those that are left when others were detached?",
     .run = &some_are_detached,
     .checks = "31",
     .why_not = &needs_detaching},
    {.name = "order/registered_in_callback",
     .asks = "does what a callback registers run before what is older?",
     .run = &late_is_next,
     .checks = "37"},
    {.name = "order/after_stack_objects",
     .asks = "do they run when the objects on the body's stack are destroyed?",
     .run = &after_the_stack,
     .conditions = {{{"return"}, {"pthread_exit"}}},
     .checks = "36"},
    {.name = "order/beside_foreign_keys",
     .asks = "do they run newest first whatever else a thread has?",
     .run = &beside_foreign_keys,
     .conditions = {{{"keys made before"},
                     {"keys made between"},
                     {"keys made after"},
                     {"a Boost variable between"}}},
     .checks = "35"},
    {.name = "order/sees_foreign_values",
     .asks = "do they still find the values that foreign keys have on the thread?",
     .run = &sees_foreign_values,
     .conditions = {{{"keys made before the first callback"}, {"keys made after"}}},
     .checks = "111",
     .bugs = {16, 21}},
    // Shows: PM-22.
    {.name = "order/sees_thread_locals",
     .asks = "do they still find what the body left in a plain thread_local?",
     .run = &sees_thread_locals,
     .checks = "109"},
    {.name = "order/uses_thread_local",
     .asks = "do they find a thread_local with a destructor that was made before them?",
     .run = &uses_a_thread_local,
     .conditions = {{{"alone"}, {"another library was first"}, {"on main"}}},
     .checks = "128",
     .promise = outcome::misordered},
    {.name = "order/early_uses_thread_local",
     .asks = "does one that says so when it is registered (exit_phase::early)?",
     .run = &early_uses_a_thread_local,
     .conditions = {{{"alone"}, {"another library was first"}, {"on main"}}},
     .checks = "128"},
    {.name = "order/makes_thread_local",
     .asks = "is a thread_local destroyed that a callback is the first to use?",
     .run = &makes_a_thread_local,
     .promise = outcome::lost},
};

}  // namespace
}  // namespace of_order

std::span<const event> order_events() {
  return of_order::rows;
}

}  // namespace threadref::stress
