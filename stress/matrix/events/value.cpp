// SPDX-License-Identifier: MIT
// The argument of a callback, and the value of a variable that has a destructor.
#include <pthread.h>

#include <array>
#include <atomic>

#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/model/events.hpp"
#include "testing/check.hpp"

namespace threadref::stress {

namespace of_value {
namespace {

// The thread's variable whose destructor is registered. Readable until the very end of the thread.
constinit thread_local void* mine = nullptr;

// Registers the destructor of a variable as a callback of the record. The variable's value says
// which one it is.
bool attach_variable(event_context& ctx, void** variable, void (*run)(void*),
                     const event_context::attempt& tried) {
  const bool accepted = ctx.subject.attach_variable(variable, run);
  event_context::end_attach(tried, accepted);
  return accepted;
}
bool attach_variable(event_context& ctx, void** variable, void (*then)(event_context&) = nullptr) {
  const event_context::attempt tried = ctx.begin_attach(then);
  *variable = tried.what.with;
  return attach_variable(ctx, variable, tried.what.run, tried);
}

// For callbacks that can't be told apart by their value: the attempts, in the order in which the
// callbacks must run.
template <std::size_t N>
struct in_turn {
  std::array<event_context::attempt, N> all{};
  std::size_t next = 0;
  void report() {
    if (next == N)
      return event_context::current().record_violation("a function ran more often than registered");
    const event_context::attempt& tried = all[next++];
    tried.what.run(tried.what.with);
  }
};

in_turn<1> one;
void with_null(void* value) {
  if (value != nullptr)
    event_context::current().record_violation("a callback got another argument than null");
  one.report();
}

// A cleanup that needs no argument is registered with null.
int null_value(event_context& ctx) {
  const bool variable = ctx.condition() == 1;
  if (variable && ctx.subject.attach_variable == nullptr) {
    ctx.record_absent("it has no destructors of variables");
    return 0;
  }
  on_new_thread(ctx, [&] {
    const event_context::attempt tried = ctx.begin_attach();
    one.all[0] = tried;
    if (variable) {
      mine = nullptr;
      attach_variable(ctx, &mine, &with_null, tried);
    } else {
      event_context::end_attach(tried, ctx.subject.attach({&with_null, nullptr}));
    }
  });
  return 0;
}

in_turn<3> three;
void one_of_three(void* value) {
  if (value != &three)
    event_context::current().record_violation(
        "a callback was called with another callback's value");
  three.report();
}

int same_pair(event_context& ctx) {
  const bool variable = ctx.condition() == 1;
  if (variable && ctx.subject.attach_variable == nullptr) {
    ctx.record_absent("it has no destructors of variables");
    return 0;
  }
  on_new_thread(ctx, [&] {
    mine = &three;
    for (event_context::attempt& tried : three.all) tried = ctx.begin_attach();
    for (const event_context::attempt& tried : three.all) {
      if (variable) {
        attach_variable(ctx, &mine, &one_of_three, tried);
      } else {
        event_context::end_attach(tried, ctx.subject.attach({&one_of_three, &three}));
      }
    }
  });
  return 0;
}

// The first destructor changes the variable of the second.
constinit thread_local void* second = nullptr;
int old_value = 0;
int new_value = 0;
void with_new_value(void* value) {
  if (value != &new_value)
    event_context::current().record_violation("the variable was not read when its destructor ran");
  one.report();
}

int changed_value(event_context& ctx) {
  on_new_thread(ctx, [&ctx] {
    attach_variable(ctx, &mine, [](event_context& /*in*/) { second = &new_value; });
    const event_context::attempt tried = ctx.begin_attach();
    one.all[0] = tried;
    second = &old_value;
    attach_variable(ctx, &second, &with_new_value, tried);
  });
  return 0;
}

// The destructor of a key would be called again for the value that it leaves behind.
int set_again(event_context& ctx) {
  on_new_thread(ctx, [&ctx] {
    attach_variable(ctx, &mine, [](event_context& /*in*/) { mine = &new_value; });
    attach_variable(ctx, &second, [](event_context& in) {
      static thread_local bool again = false;
      if (!again) attach_variable(in, &second);
      again = true;
    });
  });
  return 0;
}

// A mechanism that accepted a null would crash, or never run it. No canary does.
int null_arguments(event_context& ctx) {
  on_new_thread(ctx, [&ctx] {
    const event_context::attempt no_variable = ctx.begin_attach();
    attach_variable(ctx, nullptr, no_variable.what.run, no_variable);
    mine = &new_value;
    attach_variable(ctx, &mine, nullptr, ctx.begin_attach());
  });
  return 0;
}

// Unregisters all destructors of a variable. They must not run.
void unregister(event_context& ctx, void** variable, const event_context::attempt* first,
                std::size_t count) {
  if (!ctx.subject.detach_variable(variable))
    ctx.record_violation("there was nothing to unregister");
  for (std::size_t i = 0; i != count; ++i)
    first[i].entry->status.store(registration_status::removed);
  if (ctx.subject.detach_variable(variable))
    ctx.record_violation("what was unregistered was still there");
}

// A variable of the whole program has one address on all threads. Unregistering it on one thread
// must leave the destructors of the other thread alone.
void* global = nullptr;

int unregistered(event_context& ctx) {
  std::atomic<bool> done{false};
  global = &three;
  one = {};
  posix_thread other(ctx, [&] {
    one.all[0] = ctx.begin_attach();
    attach_variable(
        ctx, &global, [](void* /*value*/) { one.report(); }, one.all[0]);
    done.wait(false);
  });
  on_new_thread(ctx, [&] {
    for (event_context::attempt& tried : three.all) {
      tried = ctx.begin_attach();
      attach_variable(ctx, &global, &one_of_three, tried);
    }
    attach_variable(ctx, &mine);
    unregister(ctx, &global, three.all.data(), three.all.size());
  });
  done.store(true);
  done.notify_all();
  other.join();
  return 0;
}

// The destructor of another variable unregisters it, and tries to unregister itself.
event_context::attempt pending;
int unregistered_in_a_destructor(event_context& ctx) {
  on_new_thread(ctx, [&ctx] {
    attach_variable(ctx, &mine, [](event_context& in) {
      unregister(in, &second, &pending, 1);
      if (in.subject.detach_variable(&mine))
        in.record_violation("a destructor was unregistered while it ran");
    });
    pending = ctx.begin_attach();
    second = pending.what.with;
    attach_variable(ctx, &second, pending.what.run, pending);
  });
  return 0;
}

constexpr event rows[] = {
    // Shows: W-04, W-24.
    {.name = "value/null",
     .asks = "is a callback called whose argument is null?",
     .run = &null_value,
     .conditions = {{{"an argument"}, {"the value of a variable"}}},
     .checks = "95"},
    // Shows: W-06.
    {.name = "value/same_pair",
     .asks = "is what is registered three times called three times?",
     .run = &same_pair,
     .conditions = {{{"an argument"}, {"the value of a variable"}}},
     .checks = "98"},
    // Shows: W-03.
    {.name = "value/changed",
     .asks = "is a variable's value read when its turn comes, and not before?",
     .run = &changed_value,
     .checks = "97",
     .why_not = &needs_variables},
    {.name = "value/set_again",
     .asks = "is a destructor called once that sets its variable, and again if it registers?",
     .run = &set_again,
     .checks = "98",
     .why_not = &needs_variables},
    // Shows: W-23.
    // Differs: W-05: it is refused with an error: it can only be a mistake.
    {.name = "value/null_arguments",
     .asks = "is it refused to register no variable, or no function?",
     .run = &null_arguments,
     .checks = "96",
     .promise = outcome::refused,
     .why_not = &needs_variables},
    // Shows: W-01, W-07, W-23.
    {.name = "value/unregistered",
     .asks = "is all of a variable taken back, and nothing of others or of other threads?",
     .run = &unregistered,
     .checks = "99",
     .why_not = &needs_variables},
    // Differs: W-09: what is pending can be, like everything that has not begun.
    {.name = "value/unregistered_in_a_destructor",
     .asks = "can a destructor take back what is pending, and not itself?",
     .run = &unregistered_in_a_destructor,
     .checks = "100",
     .why_not = &needs_variables},
};

}  // namespace
}  // namespace of_value

std::span<const event> value_events() {
  return of_value::rows;
}

}  // namespace threadref::stress
