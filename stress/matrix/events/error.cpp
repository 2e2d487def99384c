// SPDX-License-Identifier: MIT
// Callbacks that throw.
#include <stdexcept>

#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/model/events.hpp"

namespace threadref::stress {

namespace of_error {
namespace {

constexpr int some = 4;  // callbacks before and after

struct not_an_exception {};

void throw_a_standard_one(event_context& /*in*/) {
  throw std::runtime_error("from a callback");
}
void throw_another(event_context& /*in*/) {
  throw not_an_exception{};
}

void attach_around(event_context& ctx, void (*throwing)(event_context&)) {
  ctx.attach(some);
  ctx.attach(throwing);
  ctx.attach(some);
}

int at_the_end_of_a_thread(event_context& ctx) {
  on_new_thread(ctx, [&ctx] {
    if (ctx.condition() == 0) attach_around(ctx, &throw_a_standard_one);
    if (ctx.condition() == 1) attach_around(ctx, &throw_another);
    if (ctx.condition() == 2) ctx.attach(some, &throw_a_standard_one);
    if (ctx.condition() == 3) {
      attach_around(ctx, [](event_context& in) {
        in.attach(&throw_a_standard_one);
        throw not_an_exception{};
      });
    }
  });
  return 0;
}

int at_the_end_of_the_process(event_context& ctx) {
  attach_around(ctx, &throw_a_standard_one);
  return 0;
}

// The body throws first, and its wrapper catches that.
int after_the_body(event_context& ctx) {
  on_new_thread(ctx, [&ctx] {
    try {
      attach_around(ctx, &throw_a_standard_one);
      throw not_an_exception{};
    } catch (const not_an_exception&) {
      if (ctx.ran() != 0) ctx.record_violation("a callback ran while its thread's body did");
    }
  });
  return 0;
}

// Their destructors read them when the thread ends.
constinit thread_local void* variables[3]{};

// The destructor of the variable in the middle throws: the others must run, and the other
// callbacks.
int in_a_destructor(event_context& ctx) {
  on_new_thread(ctx, [&ctx] {
    ctx.attach(some);
    for (void*& v : variables) {
      const event_context::attempt tried =
          ctx.begin_attach(&v == &variables[1] ? &throw_a_standard_one : nullptr);
      v = tried.what.with;
      event_context::end_attach(tried, ctx.subject.attach_variable(&v, tried.what.run));
    }
    ctx.attach(some);
  });
  return 0;
}

constexpr event rows[] = {
    {.name = "error/callback_throws",
     .asks = "do the other callbacks of a thread run when one throws?",
     .run = &at_the_end_of_a_thread,
     .conditions = {{{"a std::exception"},
                     {"another type"},
                     {"each of them"},
                     {"and one that it registers throws too"}}},
     .checks = "46, 47, 49",
     .bugs = {20}},
    {.name = "error/at_process_end",
     .asks = "do those of main, when the process ends, when one throws?",
     .run = &at_the_end_of_the_process,
     .checks = "46, 83"},
    {.name = "error/after_the_body",
     .asks = "do they when the body threw before, and its wrapper caught that?",
     .run = &after_the_body,
     .checks = "51"},
    {.name = "error/destructor_throws",
     .asks = "do the others when the destructor of a variable throws?",
     .run = &in_a_destructor,
     .checks = "48",
     .why_not = &needs_variables},
};

}  // namespace
}  // namespace of_error

std::span<const event> error_events() {
  return of_error::rows;
}

}  // namespace threadref::stress
