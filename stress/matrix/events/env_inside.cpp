// SPDX-License-Identifier: MIT
// A thread's first registration in places that allow few calls: inside malloc, and in signal
// handlers.
#include <dlfcn.h>
#include <signal.h>
#include <sys/time.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <deque>

#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/model/events.hpp"
#include "stress/modules/modules.hpp"
#include "testing/check.hpp"

namespace threadref::stress {

namespace of_env_inside {
namespace {

// If the mechanism says that it can't register inside malloc, this records a refusal without
// trying.
void attach_inside_malloc(event_context& ctx) {
  const bool may = ctx.subject.works_inside_malloc == nullptr || ctx.subject.works_inside_malloc();
  ctx.attach_by([&](callback c) { return may && ctx.subject.attach(c); });
}

// --- Inside malloc: the module stress_malloc calls a hook at the start of each call.

// Without a destructor, whose registration would need memory.
struct allocating {
  bool wants_callback = false;
  bool inside = false;
};
constinit thread_local allocating this_allocation;

void on_allocation() noexcept {
  allocating& here = this_allocation;
  if (here.inside)
    event_context::current().record_violation(
        "it calls malloc inside malloc: an allocator would deadlock, or break");
  if (here.inside || !here.wants_callback) return;
  here.wants_callback = false;
  here.inside = true;
  attach_inside_malloc(event_context::current());
  here.inside = false;
}

int first_in_malloc(event_context& ctx) {
  auto* const set_hook = reinterpret_cast<decltype(&threadref_stress_hook_allocation)>(
      dlsym(RTLD_DEFAULT, "threadref_stress_hook_allocation"));
  THREADREF_CHECK(set_hook != nullptr, "stress_malloc.so is not preloaded");
  set_hook(&on_allocation);
  for (int i = 0; i != ctx.size(400); ++i) {
    on_new_thread(ctx, [] {
      this_allocation.wants_callback = true;
      void* volatile memory = std::malloc(100);
      std::free(memory);
    });
  }
  set_hook(nullptr);
  return 0;
}

// --- In signal handlers, under a storm of signals.

struct interrupted {
  volatile sig_atomic_t wants_callback = 0;
  volatile sig_atomic_t done = 0;
};
constinit thread_local interrupted this_interruption;

template <void (*Attach)(event_context&)>
void on_signal(int /*signal*/) {
  const int saved = errno;
  interrupted& here = this_interruption;
  if (here.wants_callback != 0 && here.done == 0) {
    here.done = 1;
    Attach(event_context::current());
  }
  errno = saved;
}

void attach_anywhere(event_context& ctx) {
  ctx.attach();
}

struct storm {
  int signal;
  int timer;
  int threads;  // one after the other, each until it was hit
};
// The kernel counts the processor time of a process in ticks of some milliseconds.
constexpr storm storms[] = {{SIGALRM, ITIMER_REAL, 200}, {SIGPROF, ITIMER_PROF, 40}};

void set_timer(const storm& of, int microseconds) {
  const itimerval every{{0, microseconds}, {0, microseconds}};
  THREADREF_CHECK_ERRNO(setitimer(static_cast<__itimer_which_t>(of.timer), &every, nullptr) == 0,
                        "setitimer");
}

// The main thread blocks the signal: it is for the threads that register in the handler.
void run_storm(event_context& ctx, const storm& of, void (*handler)(int), void (*busy)()) {
  struct sigaction wanted = {};
  wanted.sa_handler = handler;
  wanted.sa_flags = SA_RESTART;
  THREADREF_CHECK_ERRNO(sigaction(of.signal, &wanted, nullptr) == 0, "sigaction");
  sigset_t mine;
  sigemptyset(&mine);
  sigaddset(&mine, of.signal);
  THREADREF_CHECK_CALL(pthread_sigmask(SIG_BLOCK, &mine, nullptr));
  set_timer(of, 100);
  for (int i = 0; i != ctx.size(of.threads); ++i) {
    on_new_thread(ctx, [&mine, busy] {
      this_interruption.wants_callback = 1;
      THREADREF_CHECK_CALL(pthread_sigmask(SIG_UNBLOCK, &mine, nullptr));
      while (this_interruption.done == 0) busy();
    });
  }
  set_timer(of, 0);
}

int first_in_a_handler(event_context& ctx) {
  run_storm(ctx, storms[ctx.condition()], &on_signal<&attach_anywhere>, [] {});
  return 0;
}

// The block is too large for a thread's cache, so malloc takes a lock.
void use_memory() {
  void* volatile memory = std::malloc(2'000);
  std::free(memory);
}

int first_in_a_handler_inside_malloc(event_context& ctx) {
  run_storm(ctx, storms[ctx.condition()], &on_signal<&attach_inside_malloc>, &use_memory);
  return 0;
}

constexpr std::array<event::condition, event::conditions_most> storm_names = {
    {{"SIGALRM"}, {"SIGPROF"}}};

constexpr event rows[] = {
    {.name = "env/first_in_malloc",
     .asks = "can an allocator register a thread in the thread's first malloc?",
     .run = &first_in_malloc,
     .conditions = {{{"in its allocator", "@stress_malloc"}}},
     .checks = "124",
     .promise = outcome::refused,
     .not_under_tsan = "it is the allocator itself",
     .not_under_asan = "it is the allocator itself"},
    {.name = "env/first_in_signal_handler",
     .asks = "do callbacks run that a signal handler registers while its thread computes?",
     .run = &first_in_a_handler,
     .conditions = storm_names,
     .checks = "124",
     .bugs = {12},
     .not_under_tsan = "it delivers signals in calls that it knows, not while a thread computes"},
    {.name = "env/first_in_signal_handler_in_malloc",
     .asks = "do they if the handler interrupts malloc?",
     .run = &first_in_a_handler_inside_malloc,
     .conditions = storm_names,
     .checks = "124",
     .bugs = {12},
     .promise = outcome::refused,
     .not_under_tsan = "it delivers signals outside of malloc",
     .not_under_asan = "it is the allocator itself",
     .slow = true},
};

}  // namespace
}  // namespace of_env_inside

std::span<const event> env_inside_events() {
  return of_env_inside::rows;
}

}  // namespace threadref::stress
