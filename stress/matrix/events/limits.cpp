// SPDX-License-Identifier: MIT
// What happens when keys or memory are used up, and with many callbacks or threads.
#include <pthread.h>

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include "stress/faults/faults.hpp"
#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/model/events.hpp"
#include "stress/matrix/model/participants.hpp"
#include "testing/check.hpp"
#include "testing/text.hpp"
#include "threadref/config.hpp"

namespace threadref::stress {

namespace of_limits {
namespace {

constexpr int some = 8;  // callbacks of a thread

constexpr std::string_view sanitizer_is_first = "the sanitizer's library has to be loaded first";

void take_all_keys() {
  for (pthread_key_t key{}; pthread_key_create(&key, nullptr) == 0;) continue;
}

enum class foreign_value { set, unset };

// On a thread with a value of somebody else's key, or without. The destructor of that key must be
// called with that value, and with nothing else.
void beside_foreign_value(event_context& ctx, foreign_value value) {
  const bool has_value = value == foreign_value::set;
  foreign_keys& keys = keys_of_module();
  const int before = keys.calls.load();
  on_new_thread(ctx, [&] {
    if (has_value) THREADREF_CHECK_CALL(pthread_setspecific(keys.first, &keys.value));
    ctx.attach(some);
  });
  if (keys.mistaken.load() != 0)
    ctx.record_violation("the destructor of somebody else's key was called with its data");
  if (keys.value != decltype(keys.value){})
    ctx.record_violation("it wrote to somebody else's data");
  if (keys.calls.load() != before + (has_value ? 1 : 0))
    ctx.record_violation("the destructor of somebody else's key was not called once");
}

void look_for_foreign_key() {
  if (pthread_setspecific(keys_of_module().first, nullptr) != 0)
    event_context::current().record_violation("somebody else's key was deleted");
}

// A mechanism that deletes its key when the process ends must know which key is its own. No
// mechanism here gets that wrong.
int beside_a_foreign_key(event_context& ctx) {
  const foreign_value value = ctx.condition() == 0 ? foreign_value::set : foreign_value::unset;
  for (int i = 0; i != 2; ++i) beside_foreign_value(ctx, value);
  keys_of_module().at_the_end = &look_for_foreign_key;
  return 0;
}

int no_key_afterwards(event_context& ctx) {
  on_new_thread(ctx, [&ctx] { ctx.attach(some); });
  take_all_keys();
  for (int i = 0; i != 2; ++i) on_new_thread(ctx, [&ctx] { ctx.attach(some); });
  return 0;
}

// For some rows keys are taken, or given back, before the constructors of the library, some of
// which make its keys. The first key of the process is the module's, whose constructor runs before
// those of all libraries.
constexpr std::string_view key_zero_name = "limits/key_zero";
constexpr std::string_view no_keys_name = "limits/no_keys_from_the_beginning";

bool give_back_the_first_key() {
  static const bool once = pthread_key_delete(keys_of_module().first) == 0;
  return once;
}

void nothing(void* /*with*/) {}

// Has the back end make its key now. Peers make theirs later.
void use_key_zero(std::string_view name) {
  const mechanism* m = backend_mechanism(name);
  if (m == nullptr) m = canary_mechanism(name);
  if (m == nullptr) return;
  THREADREF_CHECK(give_back_the_first_key(), "the first key could not be given back");
  const auto detach = m->attach_detachable({&nothing, nullptr});
  THREADREF_CHECK(detach != nullptr && detach(), "the first use was refused");
}

// Runs after the events have made their early keys, and before the library makes its own.
[[gnu::constructor(102)]] void before_the_library(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    const auto subject_of = [arg](std::string_view event) {
      const std::string prefix = testing::concat("--act=", event, "/");
      return arg.starts_with(prefix) ? arg.substr(prefix.size(), arg.rfind('/') - prefix.size())
                                     : "";
    };
    if (!subject_of(no_keys_name).empty()) take_all_keys();
    if (const std::string_view name = subject_of(key_zero_name); !name.empty()) use_key_zero(name);
  }
}

// Some libraries take a key of index 0 for no key.
int key_zero(event_context& ctx) {
  THREADREF_CHECK(give_back_the_first_key(), "the first key could not be given back");
  for (int i = 0; i != 2; ++i) on_new_thread(ctx, [&ctx] { ctx.attach(some); });
  return 0;
}

// There is no memory for a thread's first registration. The value of a key needs memory only if its
// index is 32 or more.
int late_key(event_context& ctx) {
  on_new_thread(ctx, [&ctx] { ctx.attach(); });
  on_new_thread(ctx, [&ctx] {
    static testing::memory_watch none{.fails_at = 1, .fails_after = true};
    watch_memory_here(&none);
    ctx.attach();
    watch_memory_here(nullptr);
    ctx.attach(some);
  });
  return 0;
}

int many_callbacks(event_context& ctx) {
  static constexpr int counts[] = {2'000, 30'000};
  on_new_thread(ctx, [&ctx] { ctx.attach(counts[ctx.condition()]); });
  return 0;
}

// All are alive at once, on stacks that are no larger than they need.
int many_threads(event_context& ctx) {
  constexpr bool sanitized = detail::under_tsan || detail::under_asan;
  constexpr std::size_t stack = sanitized ? 256 * 1024 : 64 * 1024;
  struct state {
    event_context& ctx;
    std::atomic<bool> go{false};
  } all{ctx, {}};
  const auto body = [](void* with) -> void* {
    auto& a = *static_cast<state*>(with);
    a.ctx.attach(some / 2);
    a.go.wait(false);
    return reinterpret_cast<void*>(static_cast<std::uintptr_t>(a.ctx.thread()));
  };
  pthread_attr_t small{};
  THREADREF_CHECK_CALL(pthread_attr_init(&small));
  THREADREF_CHECK_CALL(pthread_attr_setstacksize(&small, stack));
  std::vector<pthread_t> made;
  for (int i = ctx.size(2'000); i != 0; --i) {
    pthread_t one{};
    if (pthread_create(&one, &small, body, &all) != 0) break;  // the machine allows no more
    made.push_back(one);
  }
  all.go.store(true);
  all.go.notify_all();
  for (const pthread_t one : made) {
    void* number = nullptr;
    THREADREF_CHECK_CALL(pthread_join(one, &number));
    ctx.note_joined(static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(number)));
  }
  THREADREF_CHECK_CALL(pthread_attr_destroy(&small));
  return 0;
}

constexpr event rows[] = {
    // Differs: W-15: the caller gets an error.
    {.name = no_keys_name,
     .asks = "does it work, or refuse, in a process whose pthread keys are all taken?",
     .run = &beside_a_foreign_key,
     .conditions = {{{"another one's value is there", "@stress_first_key"},
                     {"no value is there", "@stress_first_key"}}},
     .checks = "101",
     .bugs = {26},
     .promise = outcome::refused,
     .not_under_tsan = sanitizer_is_first,
     .not_under_asan = sanitizer_is_first},
    {.name = "limits/no_keys_later",
     .asks = "does it go on on new threads when all keys are taken after its first use?",
     .run = &no_key_afterwards,
     .checks = "102",
     .bugs = {26}},
    {.name = "limits/foreign_key",
     .asks = "does it leave key 0 alone, which is somebody else's, also when the process ends?",
     .run = &beside_a_foreign_key,
     .conditions = {{{"another one's value is there", "@stress_first_key"},
                     {"no value is there", "@stress_first_key"}}},
     .checks = "101",
     .bugs = {10},
     .not_under_tsan = sanitizer_is_first,
     .not_under_asan = sanitizer_is_first},
    // Differs: W-16: 0 is an index like any other.
    {.name = key_zero_name,
     .asks = "does it work when its key is the first of the process?",
     .run = &key_zero,
     .conditions = {{{"key 0 is its own", "@stress_first_key"}}},
     .checks = "106",
     .not_under_tsan = sanitizer_is_first,
     .not_under_asan = sanitizer_is_first},
    {.name = "limits/late_key_without_memory",
     .asks = "is a thread's first registration refused if its key, of index 32 or more, gets no "
             "memory?",
     .run = &late_key,
     .conditions = {{{"32 keys are somebody else's", "@stress_memory_late_keys"}}},
     .checks = "103",
     .promise = outcome::refused,
     .not_under_tsan = sanitizer_is_first,
     .not_under_asan = sanitizer_is_first},
    {.name = "limits/many_callbacks",
     .asks = "do all of them run when one thread has many?",
     .run = &many_callbacks,
     .conditions = {{{"2,000"}, {"30,000"}}},
     .checks = "101",
     .bugs = {26}},
    {.name = "limits/many_threads",
     .asks = "do all run when 2,000 threads live at once on stacks of 64 KiB?",
     .run = &many_threads,
     .checks = "115"},
};

}  // namespace
}  // namespace of_limits

std::span<const event> limits_events() {
  return of_limits::rows;
}

}  // namespace threadref::stress
