// SPDX-License-Identifier: MIT
// Plugins that are unloaded while threads still need them. Each has a copy of the mechanism, and
// the code of the callbacks that it registers.
#include <pthread.h>

#include <cstdlib>
#include <deque>
#include <functional>
#include <latch>

#include "stress/matrix/child/loaded.hpp"
#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/model/events.hpp"
#include "testing/check.hpp"

namespace threadref::stress {

namespace of_unload {
namespace {

constexpr int some = 4;  // callbacks of a thread

// The callback's code is in the plugin. Its argument is not, and is never freed.
void attach_one(event_context& ctx, const loaded_object& plugin) {
  ctx.attach_by([&](callback c) {
    auto* const code = plugin.function<void(void*)>("threadref_stress_forward");
    return mechanism_in(plugin, ctx.subject.name).attach({code, new callback(c)});
  });
}
void attach_some(event_context& ctx, const loaded_object& plugin) {
  for (int i = 0; i != some; ++i) attach_one(ctx, plugin);
}

// Threads that register, and live until end().
class owners {
 public:
  owners(event_context& ctx, const loaded_object& plugin, int threads) : used_(threads) {
    for (int i = 0; i != threads; ++i) {
      all_.emplace_back(ctx, [this, &ctx, &plugin] {
        attach_some(ctx, plugin);
        used_.count_down();
        go_.wait();
      });
    }
    used_.wait();
  }
  void end() {
    go_.count_down();
    for (posix_thread& t : all_) t.join();
  }

 private:
  std::latch used_;
  std::latch go_{1};
  std::deque<posix_thread> all_;
};

int closed_before_its_threads_end(event_context& ctx) {
  enum { by_main, by_main_of_four, by_the_thread, by_a_third };
  const loaded_object plugin(module_with(ctx.subject.name));
  if (ctx.condition() == by_the_thread) {
    on_new_thread(ctx, [&] {
      attach_some(ctx, plugin);
      plugin.close();
    });
    return 0;
  }
  owners threads(ctx, plugin, ctx.condition() == by_main_of_four ? 4 : 1);
  if (ctx.condition() == by_a_third) {
    on_new_thread(ctx, [&plugin] { plugin.close(); });
  } else {
    plugin.close();
  }
  threads.end();
  return 0;
}

int closed_before_main_returns(event_context& ctx) {
  const loaded_object plugin(module_with(ctx.subject.name));
  attach_some(ctx, plugin);
  plugin.close();
  return 0;
}

int closed_before_main_exits_as_a_thread(event_context& ctx) {
  const loaded_object plugin(module_with(ctx.subject.name));
  attach_some(ctx, plugin);
  plugin.close();
  pthread_exit(nullptr);
}

// Ends the process if the code is unmapped: calling it would crash, which is another row's
// question. Not asked is whether the plugin is ever unmapped: the contract's copy never is.
void expect_mapped(event_context& ctx, const loaded_object& plugin) {
  if (plugin.is_mapped() || ctx.ran() == 2 * some) return;
  ctx.record_violation("its code is unmapped while a thread needs it");
  std::_Exit(0);
}

// With any dlclose the loader looks for objects that are no longer needed.
void open_and_close_another() {
  loaded_object("stress_code").close();
}

int stays_as_long_as_needed(event_context& ctx) {
  enum { after_close, after_another_close, after_another_user };
  const loaded_object plugin(module_with(ctx.subject.name));
  owners first(ctx, plugin, 1);
  owners second(ctx, plugin, 1);
  plugin.close();
  expect_mapped(ctx, plugin);
  if (ctx.condition() == after_another_user) first.end();
  if (ctx.condition() != after_close) {
    open_and_close_another();
    expect_mapped(ctx, plugin);
  }
  second.end();
  if (ctx.condition() != after_another_user) first.end();
  return 0;
}

// With few keys left it shows early if each load takes a key.
void leave_few_keys() {
  constexpr int few = 64;
  for (int i = 0; i != PTHREAD_KEYS_MAX - few; ++i) {
    pthread_key_t key{};
    if (pthread_key_create(&key, nullptr) != 0) return;
  }
}

int again_and_again(event_context& ctx) {
  leave_few_keys();
  for (int i = 0; i != ctx.size(2'000); ++i) {
    const loaded_object plugin(module_with(ctx.subject.name));
    on_new_thread(ctx, [&] { attach_one(ctx, plugin); });
    plugin.close();
  }
  return 0;
}

int two_copies(event_context& ctx) {
  const loaded_object first(module_with(ctx.subject.name));
  const auto second = loaded_object::copy_of(module_with(ctx.subject.name));
  on_new_thread(ctx, [&] {
    for (int i = 0; i != some; ++i) {
      attach_one(ctx, first);
      attach_one(ctx, second);
    }
  });
  return 0;
}

int in_own_namespace(event_context& ctx) {
  const auto plugin = loaded_object::in_own_namespace(module_with(ctx.subject.name));
  if (!plugin) {
    ctx.record_absent("the loader can't load it with all that it needs a second time");
    return 0;
  }
  on_new_thread(ctx, [&] { attach_some(ctx, *plugin); });
  return 0;
}

constexpr event rows[] = {
    // Differs: W-21: what a thread jumps into when it ends pins itself.
    {.name = "unload/plugin",
     .asks = "do callbacks run if the plugin that registered them is closed while a thread lives?",
     .run = &closed_before_its_threads_end,
     .conditions = {{{"by main, one thread"},
                     {"by main, four threads"},
                     {"by the thread itself"},
                     {"by a third thread"}}},
     .checks = "92",
     .bugs = {1, 4, 5, 6},
     .loads_itself = true},
    {.name = "unload/before_main_returns",
     .asks = "do main's callbacks run if their plugin is closed before it returns?",
     .run = &closed_before_main_returns,
     .checks = "92",
     .bugs = {3},
     .loads_itself = true},
    {.name = "unload/before_main_ends_as_a_thread",
     .asks = "do main's callbacks run if their plugin is closed before its pthread_exit?",
     .run = &closed_before_main_exits_as_a_thread,
     .checks = "92",
     .bugs = {3},
     .not_under_tsan = "it does not survive pthread_exit on main",
     .loads_itself = true},
    {.name = "unload/mapped_while_needed",
     .asks = "does a plugin's code stay as long as a thread needs it?",
     .run = &stays_as_long_as_needed,
     .conditions = {{{"after its close"},
                     {"after another object's close"},
                     {"after the end of another thread that used it"}}},
     .checks = "92",
     .bugs = {7},
     .loads_itself = true},
    {.name = "unload/again_and_again",
     .asks = "do callbacks run, and are keys left, if a plugin comes and goes 2,000 times?",
     .run = &again_and_again,
     .checks = "94",
     .bugs = {2, 8},
     .cpu_seconds_given = 120,
     .loads_itself = true},
    // Differs: W-17: each copy keeps a list of its own, of all that it registered.
    {.name = "unload/two_copies",
     .asks = "do the callbacks of two copies of a plugin run, once each?",
     .run = &two_copies,
     .checks = "92",
     .bugs = {25},
     .loads_itself = true},
    {.name = "unload/own_namespace",
     .asks = "do callbacks run if dlmopen loaded their plugin into a namespace of its own?",
     .run = &in_own_namespace,
     .checks = "92",
     .promise = outcome::refused,
     .not_under_tsan = "a sanitizer can't be in a process twice",
     .not_under_asan = "a sanitizer can't be in a process twice",
     .loads_itself = true},
};

}  // namespace
}  // namespace of_unload

std::span<const event> unload_events() {
  return of_unload::rows;
}

}  // namespace threadref::stress
