// SPDX-License-Identifier: MIT
// The ways in which a thread ends.
#include <malloc.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/child/thread_factories_boost.hpp"
#include "stress/matrix/model/events.hpp"
#include "testing/check.hpp"

namespace threadref::stress {

namespace of_end {
namespace {

constexpr int some = 8;  // callbacks of a thread

// The number of a thread that was not made by on_new_thread(), which records its own joins.
std::atomic<std::uint32_t> number{0};
void attach_some(event_context& ctx) {
  ctx.attach(some);
  number.store(ctx.thread());
  number.notify_one();
}

int returns(event_context& ctx) {
  on_new_thread(ctx, static_cast<thread_factory>(ctx.condition()), [&ctx] { ctx.attach(some); });
  return 0;
}

// Each frame has something to unwind.
struct must_unwind {
  explicit must_unwind(int& count) noexcept : c(count) { ++c; }
  ~must_unwind() { --c; }
  must_unwind(const must_unwind&) = delete;
  must_unwind& operator=(const must_unwind&) = delete;
  int& c;
};

int exit_from(int depth, int& frames) {
  const must_unwind frame(frames);
  if (depth == 0 && frames > 0) pthread_exit(nullptr);
  if (depth == 0) return 0;
  return exit_from(depth - 1, frames) + 1;
}

int exits(event_context& ctx) {
  on_new_thread(ctx, [&ctx] {
    ctx.attach(some);
    int frames = 0;
    exit_from(ctx.condition() == 0 ? 0 : 100, frames);
  });
  return 0;
}

int exits_in_a_callback(event_context& ctx) {
  on_new_thread(ctx, [&ctx] {
    ctx.attach(some / 2);
    ctx.attach([](event_context& /*in*/) { pthread_exit(nullptr); });
    ctx.attach(some / 2);
  });
  return 0;
}

// Nobody catches the exception, so the process ends.
int throws_uncaught(event_context& ctx) {
  on_new_thread(ctx, [&ctx] {
    ctx.attach(some);
    throw std::runtime_error("nobody catches this");
  });
  return 0;
}

int ends_in_c(event_context& ctx) {
  on_new_thread(ctx, thread_factory::c11, [&ctx] {
    ctx.attach(some);
    thrd_exit(0);
  });
  return 0;
}

int is_stopped(event_context& ctx) {
  std::jthread t([&ctx](const std::stop_token& stop) {
    std::mutex m;
    std::condition_variable_any stopped;
    attach_some(ctx);
    std::unique_lock lock(m);
    stopped.wait(lock, stop, [] { return false; });
  });
  t.request_stop();
  t.join();
  ctx.note_joined(number.load());
  return 0;
}

struct end_of_worker {};

// The caller of the body catches the exception that leaves it.
int is_caught(event_context& ctx) {
  const auto body = [&ctx] {
    attach_some(ctx);
    throw end_of_worker{};
  };
  const auto catching = [](auto get) {
    try {
      get();
    } catch (const end_of_worker&) {
      return;
    }
  };
  if (ctx.condition() == 0) on_new_thread(ctx, [&] { catching(body); });
  if (ctx.condition() == 1) catching([&] { std::async(std::launch::async, body).get(); });
  if (ctx.condition() == 2) {
    std::packaged_task<void()> task(body);
    std::future<void> done = task.get_future();
    std::thread(std::move(task)).join();
    catching([&] { done.get(); });
  }
  if (ctx.condition() != 0) ctx.note_joined(number.load());
  return 0;
}

int is_detached(event_context& ctx) {
  kernel_end end;
  posix_thread t(ctx, [&] {
    end.begin();
    attach_some(ctx);
  });
  t.detach();
  number.wait(0);
  end.wait();
  ctx.note_joined(number.load());
  return 0;
}

void* on_a_small_stack(void* ctx) {
  attach_some(*static_cast<event_context*>(ctx));
  return nullptr;
}

int on_the_smallest_stack(event_context& ctx) {
  pthread_attr_t small{};
  pthread_t t{};
  THREADREF_CHECK_CALL(pthread_attr_init(&small));
  THREADREF_CHECK_CALL(
      pthread_attr_setstacksize(&small, static_cast<std::size_t>(PTHREAD_STACK_MIN)));
  THREADREF_CHECK_CALL(pthread_create(&t, &small, &on_a_small_stack, &ctx));
  THREADREF_CHECK_CALL(pthread_join(t, nullptr));
  ctx.note_joined(number.load());
  return 0;
}

// The heap, and all other memory of the process.
std::size_t bytes_in_use() {
  std::FILE* const f = std::fopen("/proc/self/statm", "r");
  THREADREF_CHECK_ERRNO(f != nullptr, "fopen(/proc/self/statm)");
  std::size_t pages = 0;
  THREADREF_CHECK(std::fscanf(f, "%*u %zu", &pages) == 1, "/proc/self/statm has no second field");
  std::fclose(f);
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

int lives_long(event_context& ctx, std::function<bool()> (*attach)(callback c)) {
  on_new_thread(ctx, [&ctx, attach] {
    ctx.attach(some);
    const callback never{
        [](void* in) {
          static_cast<event_context*>(in)->record_violation("a callback ran that was detached");
        },
        &ctx};
    const auto churn = [&](int times) {
      for (int i = 0; i != times; ++i) {
        const std::function<bool()> detach = attach(never);
        if (detach == nullptr || !detach())
          ctx.record_violation("a callback was gone while its thread lives");
      }
    };
    // The limit is a pointer a registration: half of the least that a leaked registration takes.
    constexpr int times = 200'000;
    churn(times / 10);
    const std::size_t before = bytes_in_use();
    churn(times);
    if (bytes_in_use() > before + times * sizeof(void*)) ctx.record_growth();
  });
  return 0;
}

int registers_for_long(event_context& ctx) {
  return lives_long(ctx, ctx.subject.attach_detachable);
}
int registers_early_for_long(event_context& ctx) {
  return lives_long(ctx, ctx.subject.attach_detachable_early);
}

std::atomic<int> alarms{0};

// Each callback waits until signals have interrupted it a few times.
int under_a_storm(event_context& ctx) {
  struct sigaction count {};
  count.sa_handler = [](int /*signal*/) { alarms.fetch_add(1); };
  THREADREF_CHECK_ERRNO(sigaction(SIGALRM, &count, nullptr) == 0, "sigaction");
  sigset_t alarm;
  sigemptyset(&alarm);
  sigaddset(&alarm, SIGALRM);
  constexpr itimerval often{{0, 200}, {0, 200}};
  posix_thread t(ctx, [&] {
    for (int i = 0; i != some; ++i) {
      ctx.attach([](event_context& /*in*/) {
        const int enough = alarms.load() + 3;
        for (int tries = 0; tries != 10'000 && alarms.load() < enough; ++tries) usleep(100);
      });
    }
    THREADREF_CHECK_ERRNO(setitimer(ITIMER_REAL, &often, nullptr) == 0, "setitimer");
  });
  THREADREF_CHECK_CALL(pthread_sigmask(SIG_BLOCK, &alarm, nullptr));
  t.join();
  THREADREF_CHECK_CALL(pthread_sigmask(SIG_UNBLOCK, &alarm, nullptr));
  return 0;
}

void on_boost_thread(event_context& ctx, boost_end how, kernel_end* end = nullptr) {
  const std::function<void()> body = [&] {
    if (end != nullptr) end->begin();
    attach_some(ctx);
  };
  if (!end_boost_thread(how, body)) return ctx.record_absent("Boost.Thread is not in this build");
  if (end != nullptr) end->wait();
  ctx.note_joined(number.load());
}

int boost_thread_ends(event_context& ctx) {
  constexpr boost_end ends[] = {boost_end::interrupted, boost_end::exits_and_is_joined_natively,
                                boost_end::is_cancelled_and_joined_natively};
  on_boost_thread(ctx, ends[ctx.condition()]);
  return 0;
}

int boost_thread_is_joined_after_exit(event_context& ctx) {
  on_boost_thread(ctx, boost_end::exits_and_is_joined);
  return 0;
}

// The thread uses memory that it has freed. Overwriting freed memory makes that visible as a crash.
int detached_boost_thread_exits(event_context& ctx) {
  THREADREF_CHECK(mallopt(M_PERTURB, 0xff) == 1, "mallopt(M_PERTURB)");
  kernel_end end;
  on_boost_thread(ctx, boost_end::exits_detached, &end);
  return 0;
}

// Nothing of the C library runs on such a thread. The next one gets its stack, and with it the
// values of its keys.
int vanishes(event_context& ctx) {
  enum { alone, with_a_successor, with_one_that_registers };
  const int rounds = ctx.size(20);
  for (int i = 0; i != rounds; ++i) {
    on_new_thread(ctx, [&ctx] {
      ctx.attach(some);
      syscall(SYS_exit, 0);
    });
    if (ctx.condition() == alone) continue;
    on_new_thread(ctx, [&ctx] {
      if (ctx.condition() == with_one_that_registers) ctx.attach(some);
    });
  }
  if (ctx.condition() == with_one_that_registers && ctx.ran() < rounds * some)
    ctx.record_violation("a thread lost its callbacks, because it got the stack of another");
  return 0;
}

constexpr event rows[] = {
    // Differs: R-38: it is the end of the system's thread, whoever made it and whatever stands for
    // it.
    // Shows: PM-01.
    {.name = "end/return",
     .asks = "do callbacks run when a thread returns, whoever made it?",
     .run = &returns,
     .conditions = {{{"pthread_create"},
                     {"std::thread"},
                     {"std::jthread"},
                     {"std::async"},
                     {"packaged_task"},
                     {"thrd_create"},
                     {"boost::thread"}}},
     .checks = "61, 66, 67, 68, 70"},
    {.name = "end/pthread_exit",
     .asks = "do they when the body calls pthread_exit?",
     .run = &exits,
     .conditions = {{{"at once"}, {"under 100 frames"}}},
     .checks = "62"},
    {.name = "end/pthread_exit_in_callback",
     .asks = "do the others still run when a callback calls pthread_exit?",
     .run = &exits_in_a_callback,
     .checks = "62, 125"},
    {.name = "end/uncaught_exception",
     .asks = "do they when an exception leaves the body, and nobody catches it?",
     .run = &throws_uncaught,
     .checks = "52",
     .promise = outcome::crashes,
     .not_under_tsan = "it ends by abort(), which the sanitizer reports",
     .not_under_asan = "it ends by abort(), which the sanitizer reports"},
    {.name = "end/thrd_exit",
     .asks = "do they when the body calls thrd_exit?",
     .run = &ends_in_c,
     .checks = "70"},
    {.name = "end/stop_requested",
     .asks = "do they when a std::jthread is asked to stop?",
     .run = &is_stopped,
     .checks = "66"},
    // Shows: R-31.
    {.name = "end/caught_exception",
     .asks = "do they when an exception leaves the body, and whoever runs it catches it?",
     .run = &is_caught,
     .conditions = {{{"by hand"}, {"std::async"}, {"packaged_task"}}},
     .checks = "51, 67, 69"},
    {.name = "end/detached",
     .asks = "do they when a detached thread ends?",
     .run = &is_detached,
     .checks = "65"},
    {.name = "end/vanishes",
     .asks = "are they left alone when the thread ends by the system call, or a sandbox ends it?",
     .run = &vanishes,
     .conditions = {{{"no other thread"},
                     {"another gets its stack"},
                     {"another gets it, and registers"}}},
     .checks = "131",
     .promise = outcome::lost,
     .not_under_tsan = "it waits for ever for a thread that vanished",
     .not_under_asan = "it ends the process when a thread starts where another vanished"},
    {.name = "end/smallest_stack",
     .asks = "do they on a thread with a stack of PTHREAD_STACK_MIN?",
     .run = &on_the_smallest_stack,
     .checks = "71",
     .not_under_tsan = "its frames are larger",
     .not_under_asan = "its frames are larger"},
    {.name = "end/long_life",
     .asks = "does a thread's memory stay flat while it registers and detaches for ever?",
     .run = &registers_for_long,
     .checks = "64",
     .why_not = &needs_detaching,
     .not_under_tsan = "its own memory grows",
     .not_under_asan = "its own memory grows"},
    {.name = "end/early_long_life",
     .asks = "does it with callbacks that must find thread_locals (exit_phase::early)?",
     .run = &registers_early_for_long,
     .checks = "128",
     .promise = outcome::grows,
     .why_not = &needs_early,
     .not_under_tsan = "its own memory grows",
     .not_under_asan = "its own memory grows"},
    {.name = "end/signal_storm",
     .asks = "do they while signals interrupt them?",
     .run = &under_a_storm,
     .checks = "72"},
    {.name = "end/boost_thread",
     .asks = "do they when a boost::thread does not return?",
     .run = &boost_thread_ends,
     .conditions = {{{"interrupted"},
                     {"pthread_exit, joined natively"},
                     {"cancelled, joined natively"}}},
     .checks = "68"},
    {.name = "end/boost_join_after_pthread_exit",
     .asks = "does boost::thread::join return after a pthread_exit?",
     .run = &boost_thread_is_joined_after_exit,
     .checks = "68",
     .promise = outcome::hangs,
     .slow = true},
    {.name = "end/boost_detached_pthread_exit",
     .asks = "do they when a detached boost::thread calls pthread_exit?",
     .run = &detached_boost_thread_exits,
     .checks = "68",
     .promise = outcome::crashes,
     .not_under_tsan = "Boost uses what it has freed, which the sanitizer reports",
     .not_under_asan = "Boost uses what it has freed, which the sanitizer reports"},
};

}  // namespace
}  // namespace of_end

std::span<const event> end_events() {
  return of_end::rows;
}

}  // namespace threadref::stress
