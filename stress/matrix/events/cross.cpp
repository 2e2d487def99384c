// SPDX-License-Identifier: MIT
// One mechanism used in the destructor of another: the row says whose destructor it is, the
// condition what it does, and the column which mechanism it uses.
#include <array>
#include <cstdlib>
#include <functional>

#include "stress/matrix/child/foreign.hpp"
#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/child/thread_factories_boost.hpp"
#include "stress/matrix/model/events.hpp"
#include "testing/check.hpp"
#include "threadref/config.hpp"

namespace threadref::stress {

namespace of_cross {
namespace {

constexpr int some = 4;  // callbacks

enum condition : std::size_t { registers_again, registers_first, frees, by_exit };

// The body, the callbacks and the destructor share it: each frees what the one before allocated.
constinit thread_local std::array<void*, some> stored{};
void replace_memory(event_context& /*in*/) {
  for (void*& one : stored) {
    std::free(one);
    one = std::malloc(100);
    THREADREF_CHECK(one != nullptr, "malloc");
  }
}

std::function<void()> what_the_destructor_does(event_context& ctx) {
  if (ctx.condition() != frees) return [&ctx] { ctx.attach(some); };
  return [&ctx] {
    replace_memory(ctx);
    ctx.attach(some, &replace_memory);
  };
}

// Runs the body. `arm` is called first: it has the foreign destructor called at the end.
void run_with(event_context& ctx, const std::function<void()>& arm) {
  const auto body = [&] {
    arm();
    if (ctx.condition() == registers_first) return;
    ctx.attach(some, ctx.condition() == frees ? &replace_memory : nullptr);
    if (ctx.condition() == frees) replace_memory(ctx);
  };
  if (ctx.condition() == by_exit) return body();
  on_new_thread(ctx, body);
}

int in_a_thread_local(event_context& ctx) {
  run_with(ctx, [&ctx] { at_thread_local_end(what_the_destructor_does(ctx)); });
  return 0;
}

int in_a_key(event_context& ctx, pthread_key_t key) {
  key_task once(1, [work = what_the_destructor_does(ctx)](int /*round*/) { work(); });
  run_with(ctx, [&] { once.arm(key); });
  return 0;
}
int in_a_lower_key(event_context& ctx) {
  return in_a_key(ctx, older_key());
}
// If a thread registers first after the turn of the mechanism's key, the rounds of that key begin
// late. They then end in the last round, in which ThreadSanitizer ends its own part of the thread.
bool is_too_late(event_context& ctx) {
  if (!detail::under_tsan || ctx.condition() != registers_first) return false;
  ctx.record_absent("ThreadSanitizer ends a thread in the last round, and crashes if it is used");
  return true;
}

int in_a_higher_key(event_context& ctx) {
  if (is_too_late(ctx)) return 0;
  return in_a_key(ctx, younger_key(ctx));
}

int in_a_boost_variable(event_context& ctx) {
  if (is_too_late(ctx)) return 0;
  run_with(ctx, [&ctx] {
    if (!at_boost_tss_end(what_the_destructor_does(ctx)))
      ctx.record_absent("Boost.Thread is not in this build");
  });
  return 0;
}

constexpr event rows[] = {
    {.name = "cross/thread_local",
     .asks = "can a thread_local's destructor use it?",
     .run = &in_a_thread_local,
     .conditions = {{{"registers again"},
                     {"registers for the first time"},
                     {"frees what callbacks allocated"},
                     {"registers again, at the end of the process"}}},
     .checks = "42, 45",
     .bugs = {14, 15, 18, 19}},
    {.name = "cross/lower_key",
     .asks = "can the destructor of a key with a lower index?",
     .run = &in_a_lower_key,
     .conditions = {{{"registers again"},
                     {"registers for the first time"},
                     {"frees what callbacks allocated"}}},
     .checks = "43, 45",
     .bugs = {14, 15, 18, 19}},
    {.name = "cross/higher_key",
     .asks = "can the destructor of a key with a higher index?",
     .run = &in_a_higher_key,
     .conditions = {{{"registers again"},
                     {"registers for the first time"},
                     {"frees what callbacks allocated"}}},
     .checks = "43, 45",
     .bugs = {14, 15, 18, 19}},
    {.name = "cross/boost_variable",
     .asks = "can the cleanup of a boost::thread_specific_ptr?",
     .run = &in_a_boost_variable,
     .conditions = {{{"registers again"},
                     {"registers for the first time"},
                     {"frees what callbacks allocated"}}},
     .checks = "43, 45",
     .bugs = {14, 15, 18, 19}},
};

}  // namespace
}  // namespace of_cross

std::span<const event> cross_events() {
  return of_cross::rows;
}

}  // namespace threadref::stress
