// SPDX-License-Identifier: MIT
// What callbacks find when the process ends.
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <stdexcept>

#include "stress/matrix/child/loaded.hpp"
#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/model/events.hpp"
#include "testing/destructor_work.hpp"
#include "testing/gate.hpp"

namespace threadref::stress {

namespace of_process_stage {
namespace {

constexpr int some = 8;  // callbacks of a thread

// An object that is older than every mechanism: nothing runs after its destructor.
[[gnu::init_priority(101)]] testing::destructor_work oldest;

// Set when the object that callbacks use is destroyed. Callbacks read it afterwards, so it is no
// part of that object.
std::atomic<bool> is_gone{false};
void use_it(event_context& ctx) {
  if (is_gone.load()) ctx.record_violation("a callback used an object that was destroyed already");
}
struct used_object {
  used_object() = default;
  ~used_object() { is_gone.store(true); }
  used_object(const used_object&) = delete;
  used_object& operator=(const used_object&) = delete;
};

int uses_an_older_static(event_context& ctx) {
  oldest.work = [] { is_gone.store(true); };
  ctx.attach(some, &use_it);
  return 0;
}

int uses_a_static_of_main(event_context& ctx) {
  if (ctx.condition() == 0) {
    static const used_object one;
  } else if (std::atexit([] { is_gone.store(true); }) != 0) {
    ctx.record_absent("atexit() failed");
  }
  ctx.attach(some, &use_it);
  return 0;
}

int worker_exits_with_a_static(event_context& ctx) {
  static const used_object one;
  static auto* const worker = new posix_thread(ctx, [&ctx] {
    ctx.attach(some, &use_it);
    std::exit(0);
  });
  worker->detach();
  for (;;) pause();
}

// The mechanism is loaded while main runs.
int loaded_late(event_context& ctx) {
  static const used_object one;
  static const loaded_object* plugin = nullptr;
  const auto load = [&ctx] { plugin = new loaded_object(module_with(ctx.subject.name)); };
  ctx.condition() == 0 ? load() : on_new_thread(ctx, load);
  const mechanism& loaded = mechanism_in(*plugin, ctx.subject.name);
  for (int i = 0; i != some; ++i) ctx.attach_by(loaded.attach, &use_it);
  return 0;
}

// A program that lets threads run until the statics are gone must expect this. A mechanism that
// runs nothing any more, or ran the callbacks before, has another outcome.
int worker_uses_a_static(event_context& ctx) {
  static const used_object one;
  static testing::gate stop;
  static testing::gate ready;
  static auto* const worker = new posix_thread(ctx, [&ctx] {
    ctx.attach(&use_it);
    ready.open();
    stop.wait();
  });
  oldest.work = [] {
    stop.open();
    worker->join();
  };
  ready.wait();
  return 0;
}

// A pool with one worker, which its destructor joins.
class pool {
 public:
  pool() = default;
  pool(const pool&) = delete;
  pool& operator=(const pool&) = delete;
  ~pool() { end(); }
  enum class registers { once, until_joined };
  void start(event_context& ctx, registers when) {
    worker_ = std::make_unique<posix_thread>(ctx, [this, &ctx, when] {
      ctx.attach(some);
      ready_.open();
      stop_.wait();
      if (when == registers::until_joined) ctx.attach(some);
    });
    ready_.wait();
  }
  void end() {
    if (worker_ == nullptr) return;
    stop_.open();
    worker_->join();
    worker_.reset();
  }

 private:
  testing::gate ready_;
  testing::gate stop_;
  std::unique_ptr<posix_thread> worker_;
};

int has_a_static_pool(event_context& ctx) {
  if (ctx.condition() == 1) {
    on_new_thread(ctx, [&ctx] { ctx.attach(); });  // the mechanism's first use
    static pool younger;
    younger.start(ctx, pool::registers::once);
    return 0;
  }
  static auto* const older = new pool;
  oldest.work = [] { older->end(); };
  older->start(ctx, ctx.condition() == 2 ? pool::registers::until_joined : pool::registers::once);
  return 0;
}

void register_another(event_context& ctx) {
  ctx.attach([](event_context& next) { next.attach(); });
}

void start_a_thread(event_context& ctx) {
  on_new_thread(ctx, [&ctx] { ctx.attach(some); });
}

int registers_another(event_context& ctx) {
  const auto attach_all = [&ctx](void (*then)(event_context&)) {
    ctx.attach(some / 2);
    ctx.attach(then);
    ctx.attach(some / 2);
  };
  if (ctx.condition() != 1) {
    attach_all(ctx.condition() == 0 ? &register_another : &start_a_thread);
    return 0;
  }
  on_new_thread(ctx, [&] {
    attach_all(&register_another);
    std::exit(0);
  });
  return 0;
}

// Registers again after all callbacks have run: a mechanism that can't call it must refuse.
int registers_afterwards(event_context& ctx) {
  oldest.work = [&ctx] { ctx.attach(some); };
  const auto attach = [&ctx] { ctx.attach(some); };
  ctx.condition() == 0 ? attach() : on_new_thread(ctx, attach);
  return 0;
}

int throws_in_a_callback(event_context& ctx) {
  const auto attach_all = [&ctx] {
    ctx.attach(some / 2);
    ctx.attach([](event_context& /*in*/) { throw std::runtime_error("nobody catches this"); });
    ctx.attach(some / 2);
  };
  if (ctx.condition() == 0) {
    attach_all();
    return 0;
  }
  on_new_thread(ctx, [&] {
    attach_all();
    std::exit(0);
  });
  return 0;
}

constexpr event rows[] = {
    {.name = "process/older_static",
     .asks = "do callbacks at the process's end find objects from before main()?",
     .run = &uses_an_older_static,
     .checks = "84",
     .bugs = {23}},
    {.name = "process/static_of_main",
     .asks = "do they find what main had before it registered them?",
     .run = &uses_a_static_of_main,
     .conditions = {{{"a static object"}, {"freed by a function given to atexit()"}}},
     .checks = "84",
     .bugs = {23}},
    {.name = "process/static_of_main_loaded_late",
     .asks = "do they if the mechanism is loaded while main runs?",
     .run = &loaded_late,
     .conditions = {{{"by main"}, {"by another thread"}}},
     .checks = "84",
     .bugs = {23},
     .loads_itself = true},
    {.name = "process/static_when_a_worker_exits",
     .asks = "do callbacks of a worker that calls exit() find main's statics?",
     .run = &worker_exits_with_a_static,
     .checks = "84",
     .bugs = {23},
     .promise = outcome::corrupts},
    {.name = "process/worker_after_statics",
     .asks = "do callbacks of a worker that ends after that find main's statics?",
     .run = &worker_uses_a_static,
     .bugs = {23},
     .promise = outcome::corrupts},
    {.name = "process/static_pool",
     .asks = "do workers' callbacks run on them when a static's destructor joins them?",
     .run = &has_a_static_pool,
     .conditions = {{{"a static from before main()"},
                     {"a static that is younger than the mechanism"},
                     {"they register until they are joined"}}},
     .checks = "85",
     .bugs = {15}},
    {.name = "process/callback_registers_another",
     .asks = "does what a callback registers at the process's end run as well?",
     .run = &registers_another,
     .conditions = {{{"main returns"}, {"a worker calls exit()"}, {"on a thread that it starts"}}},
     .checks = "82"},
    {.name = "process/registered_afterwards",
     .asks = "does what main registers after all callbacks still run?",
     .run = &registers_afterwards,
     .conditions = {{{"main had some before"}, {"these are its first"}}},
     .checks = "85",
     .promise = outcome::refused},
    {.name = "process/throwing_callback",
     .asks = "do the others still run when a callback throws at the process's end?",
     .run = &throws_in_a_callback,
     .conditions = {{{"main returns"}, {"a worker calls exit()"}}},
     .checks = "83"},
};

}  // namespace
}  // namespace of_process_stage

std::span<const event> process_stage_events() {
  return of_process_stage::rows;
}

}  // namespace threadref::stress
