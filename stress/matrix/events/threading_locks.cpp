// SPDX-License-Identifier: MIT
// Locks that threads take in callbacks, or hold as they end; and thread-local values of objects.
#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/model/events.hpp"
#include "testing/check.hpp"
#include "testing/gate.hpp"
#include "workers/local.hpp"

namespace threadref::stress {

namespace of_threading_locks {
namespace {

constexpr int some = 8;  // callbacks of a thread

// --- A counter that the callbacks of all threads increment.

std::mutex counter_lock;
int counter = 0;
void count(event_context& /*in*/) {
  const std::lock_guard lock(counter_lock);
  counter = counter + 1;
}

int locked_counter(event_context& ctx) {
  const int threads = ctx.condition() == 0 ? 5 : ctx.size(200);
  const int each = ctx.condition() == 0 ? 3 : 50;
  std::vector<std::unique_ptr<posix_thread>> all;
  static testing::gate together;
  for (int i = 0; i != threads; ++i) {
    all.push_back(std::make_unique<posix_thread>(ctx, [&ctx, each] {
      ctx.attach(each, &count);
      together.wait();
    }));
  }
  together.open();
  for (const auto& t : all) t->join();
  // Lost callbacks are reported as lost.
  if (counter != ctx.ran()) ctx.record_violation("a shared counter did not count every callback");
  return 0;
}

// --- Callbacks that try a lock, and do not wait for it.

std::mutex contended;
constexpr int successes_wanted = 3;
constexpr int tries_most = 1'000;
std::atomic<int> tries_in_vain{0};
void try_three_times(event_context& /*in*/) {
  for (int tries = 0, successes = 0; tries != tries_most && successes != successes_wanted;
       ++tries) {
    if (!contended.try_lock()) {
      ++tries_in_vain;
      continue;
    }
    ++successes;
    contended.unlock();
  }
}

int trylock_at_exit(event_context& ctx) {
  if (ctx.condition() == 1) {
    const std::lock_guard held(contended);
    on_new_thread(ctx, [&ctx] { ctx.attach(some, &try_three_times); });
    if (tries_in_vain.load() != ctx.ran() * tries_most)
      ctx.record_violation("try_lock took a lock that another thread held");
    return 0;
  }
  std::atomic<bool> over{false};
  const posix_thread holder(ctx, [&] {
    ctx.attach();
    while (!over.load()) {
      const std::lock_guard now_and_then(contended);
      sched_yield();
    }
  });
  for (int i = 0; i != ctx.size(100); ++i)
    on_new_thread(ctx, [&ctx] { ctx.attach(some, &try_three_times); });
  over.store(true);
  return 0;
}

// --- Locks that know their owner.

class owned_mutex {
 public:
  explicit owned_mutex(int type, int robust = PTHREAD_MUTEX_STALLED) {
    pthread_mutexattr_t how{};
    THREADREF_CHECK_CALL(pthread_mutexattr_init(&how));
    THREADREF_CHECK_CALL(pthread_mutexattr_settype(&how, type));
    THREADREF_CHECK_CALL(pthread_mutexattr_setrobust(&how, robust));
    THREADREF_CHECK_CALL(pthread_mutex_init(&m_, &how));
    THREADREF_CHECK_CALL(pthread_mutexattr_destroy(&how));
  }
  // For std::lock_guard.
  void lock() { THREADREF_CHECK_CALL(try_to_lock()); }
  void unlock() { THREADREF_CHECK_CALL(try_to_unlock()); }
  // These return the errors that a std::mutex does not.
  int try_to_lock() { return pthread_mutex_lock(&m_); }
  int try_to_unlock() { return pthread_mutex_unlock(&m_); }
  int try_lock_now() { return pthread_mutex_trylock(&m_); }

 private:
  pthread_mutex_t m_{};
};

owned_mutex& plain() {
  static auto& m = *new owned_mutex(PTHREAD_MUTEX_ERRORCHECK);
  return m;
}
owned_mutex& recursive() {
  static auto& m = *new owned_mutex(PTHREAD_MUTEX_RECURSIVE);
  return m;
}
owned_mutex& robust() {
  static auto& m = *new owned_mutex(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST);
  return m;
}

// Only the thread that locked the mutex can unlock it.
std::atomic<int> unlocked{0};
void unlock_held(event_context& in, owned_mutex& m) {
  if (m.try_to_unlock() != 0)
    return in.record_violation("a callback could not unlock what its thread had locked");
  ++unlocked;
}

int lock_held(event_context& ctx) {
  if (!has_exit_hook(ctx)) return 0;
  enum condition { plain_one, recursive_one, left_behind };
  owned_mutex& m = ctx.condition() == plain_one       ? plain()
                   : ctx.condition() == recursive_one ? recursive()
                                                      : robust();
  on_new_thread(ctx, [&] {
    if (ctx.condition() == plain_one)
      ctx.attach([](event_context& in) { unlock_held(in, plain()); });
    if (ctx.condition() == recursive_one)
      ctx.attach(2, [](event_context& in) { unlock_held(in, recursive()); });
    ctx.attach(some);
    m.lock();
    const int again = m.try_lock_now();
    if (again != (ctx.condition() == recursive_one ? 0 : EBUSY))
      ctx.record_violation(
          "a second lock on the same thread did not do what the type of the mutex says");
  });
  // A lost callback is reported as lost, and not for the mutex that it left locked.
  const int error = m.try_lock_now();
  const int locked = ctx.condition() == left_behind ? 0 : ctx.condition() == recursive_one ? 2 : 1;
  if (unlocked.load() == locked && error != (ctx.condition() == left_behind ? EOWNERDEAD : 0))
    ctx.record_violation("a mutex is not in the state in which the end of its owner left it");
  return 0;
}

// --- Guards on the body's stack, and callbacks that take the same lock.

void lock_it_too(event_context& in) {
  if (plain().try_to_lock() != 0) return in.record_misordered();
  plain().unlock();
}

void hold_and_end(event_context& ctx) {
  if (ctx.condition() == 3) {
    plain().lock();
    ctx.attach(some, &lock_it_too);
    plain().unlock();
    return;
  }
  const std::lock_guard held(plain());
  ctx.attach(some, &lock_it_too);
  if (ctx.condition() == 1) pthread_exit(nullptr);
  if (ctx.condition() == 2) {
    THREADREF_CHECK_CALL(pthread_cancel(pthread_self()));
    // Not in a call that waits: ThreadSanitizer misses what is unlocked when one is unwound.
    pthread_testcancel();
  }
}

int guard_then_callback(event_context& ctx) {
  on_new_thread(ctx, [&ctx] { hold_and_end(ctx); });
  on_new_thread(ctx, [&ctx] { ctx.attach(some, &lock_it_too); });
  return 0;
}

// --- Thread-local values of an object. A callback of the subject destroys a thread's value.

struct by_subject {
  struct handle {
    // A callback that was not cancelled finds no value when it runs, and does nothing.
    static bool cancel() noexcept { return false; }
  };
  // Never freed: a broken mechanism may call it again.
  template <class F>
  static handle attach(F f) {
    event_context::current().attach_by([&f](callback reports) {
      struct both {
        callback first;
        F second;
      };
      auto* const all = new both{reports, std::move(f)};
      return event_context::current().subject.attach({[](void* at) {
                                                        auto* const of = static_cast<both*>(at);
                                                        of->first.run(of->first.with);
                                                        of->second();
                                                      },
                                                      all});
    });
    return {};
  }
};

std::atomic<int> values_made{0};
std::atomic<int> values_destroyed{0};
constinit thread_local int destroyed_here = 0;

// `turn` says in which order a thread's values must be destroyed, from 1.
class counted_value {
 public:
  explicit counted_value(int turn) : turn_(turn) { ++values_made; }
  counted_value(const counted_value&) = delete;
  counted_value& operator=(const counted_value&) = delete;
  ~counted_value() {
    ++values_destroyed;
    if (++destroyed_here != turn_) event_context::current().record_misordered();
  }
  int left_by_body = 0;

 private:
  int turn_;
};
using local_value = workers::local<counted_value, by_subject>;

// The value used last is destroyed first. Leaked: callbacks may run after everything else.
auto& used_first = *new local_value([] { return counted_value(2); });
auto& used_last = *new local_value([] { return counted_value(1); });

void must_find_both(event_context& in) {
  const counted_value* const a = used_first.find();
  const counted_value* const b = used_last.find();
  if (a == nullptr || b == nullptr) return in.record_misordered();
  if (a->left_by_body != 7 || b->left_by_body != 8)
    in.record_violation("a value is not what the body left");
}

void use_both(event_context& ctx) {
  for (int again = 0; again != 3; ++again) {
    used_first.get().left_by_body = 7;
    used_last.get().left_by_body = 8;
  }
  ctx.attach(some, &must_find_both);
}

void object_dies_first(event_context& ctx) {
  auto object = std::make_unique<local_value>([] { return counted_value(1); });
  testing::gate used;
  testing::gate dead;
  posix_thread t(ctx, [&] {
    object->get();
    used.open();
    dead.wait();
  });
  used.wait();
  object.reset();
  if (values_destroyed.load() != 1) ctx.record_violation("a value outlived the object");
  dead.open();
  t.join();
}

int local_values(event_context& ctx) {
  if (!has_exit_hook(ctx)) return 0;
  constexpr int threads = 4;
  switch (ctx.condition()) {
    case 0: {
      std::vector<std::unique_ptr<posix_thread>> all;
      for (int i = 0; i != threads; ++i)
        all.push_back(std::make_unique<posix_thread>(ctx, [&ctx] { use_both(ctx); }));
      for (const auto& t : all) t->join();
      break;
    }
    case 1:
      on_new_thread(ctx, [&ctx] { ctx.attach(&use_both); });
      break;
    default:
      object_dies_first(ctx);
  }
  const int wanted = ctx.condition() == 0 ? 2 * threads : ctx.condition() == 1 ? 2 : 1;
  if (values_made.load() != wanted)
    ctx.record_violation("a value was not made once for each thread");
  if (values_destroyed.load() > wanted) ctx.record_violation("a value was destroyed twice");
  return 0;
}

constexpr event rows[] = {
    // Shows: PM-14.
    {.name = "threading/locked_counter",
     .asks = "do callbacks of many threads count a locked counter up, none left out?",
     .run = &locked_counter,
     .conditions = {{{"5 threads, 3 each"}, {"200 threads, 50 each"}}},
     .checks = "114"},
    // Shows: PM-15.
    {.name = "threading/trylock_exit",
     .asks = "do threads end whose callbacks try for a lock that others hold?",
     .run = &trylock_at_exit,
     .conditions = {{{"held now and then"}, {"held until they have ended"}}},
     .checks = "114"},
    // Shows: PM-16, PM-17.
    {.name = "threading/lock_held_at_exit",
     .asks = "can a callback unlock what its thread holds as it ends?",
     .run = &lock_held,
     .conditions = {{{"a mutex"}, {"a recursive mutex, twice"}, {"a robust mutex, left locked"}}},
     .checks = "114"},
    // Shows: PM-18, PM-19.
    {.name = "threading/guard_then_finalizer",
     .asks = "are guards on the body's stack released when callbacks take the same lock?",
     .run = &guard_then_callback,
     .conditions = {{{"return"}, {"pthread_exit"}, {"cancelled"}, {"unlocked by hand"}}},
     .checks = "36, 114"},
    // Shows: PM-22, PM-23.
    {.name = "threading/local_values",
     .asks = "do callbacks find what each thread has of an object, and does it go with the thread?",
     .run = &local_values,
     .conditions = {{{"used first by the body"},
                     {"used first by a callback"},
                     {"the object goes first"}}},
     .checks = "109"},
};

}  // namespace
}  // namespace of_threading_locks

std::span<const event> threading_locks_events() {
  return of_threading_locks::rows;
}

}  // namespace threadref::stress
