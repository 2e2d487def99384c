// SPDX-License-Identifier: MIT
// Calls that fail at the wrong moment: for memory, files and threads.
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "stress/faults/faults.hpp"
#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/model/events.hpp"
#include "testing/check.hpp"

namespace threadref::stress {

namespace of_fault {
namespace {

constexpr int some = 8;  // callbacks of a thread
// Enough to use up a thread's first slab, or the first allocation of a vector.
constexpr int more = 100;

constexpr std::string_view allocator_is_its_own = "the sanitizer is the allocator itself";
constexpr std::string_view preload = "@stress_memory";

using testing::memory_watch;

// The first thread that uses the mechanism, so that what it allocates once for the process can
// fail, too.
//
// Peers are modules: as in any plugin, the thread_locals of their libraries take memory when a
// thread first uses one, and glibc ends the process if it gets none.
int first_use(event_context& ctx) {
  constexpr std::size_t calls = 6;
  const bool all = ctx.condition() == calls;
  static memory_watch watch{};
  watch.fails_at = all ? 1 : static_cast<long>(ctx.condition()) + 1;
  watch.fails_after = all;
  on_new_thread(ctx, [&ctx] {
    watch_memory_here(&watch);
    ctx.attach();
    watch_memory_here(nullptr);
    ctx.attach(some);
  });
  return 0;
}

// One new thread for each call that can fail, until no call fails.
int each_call(event_context& ctx) {
  on_new_thread(ctx, [&ctx] { ctx.attach(some); });
  for (long k = 1;; ++k) {
    memory_watch watch{.fails_at = k, .fails_after = ctx.condition() == 1};
    on_new_thread(ctx, [&] {
      watch_memory_here(&watch);
      ctx.attach(more);
      watch_memory_here(nullptr);
    });
    if (watch.failed == 0) return 0;
  }
}

// Not on a stack: it watches a thread until its very end.
constinit memory_watch none_at_exit{.fails_at = 1, .fails_after = true};

int exits_without_memory(event_context& ctx) {
  for (int i = 0; i != 2; ++i) {
    on_new_thread(ctx, [&ctx] {
      ctx.attach(some);
      watch_memory_here(&none_at_exit);
    });
  }
  return 0;
}

int registers_late_without_memory(event_context& ctx) {
  on_new_thread(ctx, [&ctx] {
    ctx.attach(some / 2);
    ctx.attach([](event_context& in) { in.attach(more); });
    ctx.attach(some / 2);
    watch_memory_here(&none_at_exit);
  });
  return 0;
}

// Does not call malloc, which would reserve 64 MiB for the heap of a new thread.
std::size_t address_space_in_use() {
  char text[64] = "";
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  THREADREF_CHECK_ERRNO(file >= 0, "open of /proc/self/statm");
  THREADREF_CHECK_ERRNO(read(file, text, sizeof text - 1) > 0, "read of /proc/self/statm");
  close(file);
  return std::strtoul(text, nullptr, 10) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

// Sets the soft limit, which can be raised again.
constexpr std::size_t unlimited = ~std::size_t{0};
void limit_address_space(std::size_t left) {
  rlimit now{};
  THREADREF_CHECK_ERRNO(getrlimit(RLIMIT_AS, &now) == 0, "getrlimit(RLIMIT_AS)");
  now.rlim_cur = left == unlimited ? now.rlim_max : address_space_in_use() + left;
  THREADREF_CHECK_ERRNO(setrlimit(RLIMIT_AS, &now) == 0, "setrlimit(RLIMIT_AS)");
}

// The limit is set on the thread itself, before it calls malloc.
int little_address_space(event_context& ctx) {
  constexpr std::size_t left = 256UL * 1024;
  constexpr int far_too_many = 12'000;
  on_new_thread(ctx, [&ctx] {
    limit_address_space(left);
    ctx.attach(far_too_many);
  });
  return 0;
}

int no_more_files(event_context& ctx) {
  const rlimit none{};
  THREADREF_CHECK_ERRNO(setrlimit(RLIMIT_NOFILE, &none) == 0, "setrlimit(RLIMIT_NOFILE)");
  for (int i = 0; i != 2; ++i) on_new_thread(ctx, [&ctx] { ctx.attach(some); });
  return 0;
}

// The body of a thread. It registers, and returns the thread's number in the record.
void* registering(void* of) {
  auto& ctx = *static_cast<event_context*>(of);
  ctx.attach(some);
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(ctx.thread()));
}
void note_join(event_context& ctx, void* number) {
  ctx.note_joined(static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(number)));
}

// Starts as many threads as possible. They register while no other thread can be started. What the
// mechanism allocates once for the process is allocated before, since memory is not the question.
int no_more_threads(event_context& ctx) {
  constexpr std::size_t stack = 16 << 20;
  constexpr std::size_t left = 16 * stack;
  static std::atomic<bool> go{false};
  on_new_thread(ctx, [&ctx] { ctx.attach(some); });
  pthread_attr_t usual{};
  THREADREF_CHECK_CALL(pthread_attr_init(&usual));
  THREADREF_CHECK_CALL(pthread_attr_setstacksize(&usual, stack));
  limit_address_space(left);
  const auto body = [](void* of) -> void* {
    go.wait(false);
    return registering(of);
  };
  std::vector<pthread_t> made;
  made.reserve(left / stack);
  int error = 0;
  for (pthread_t one{}; (error = pthread_create(&one, &usual, body, &ctx)) == 0;)
    made.push_back(one);
  THREADREF_CHECK(error == EAGAIN && !made.empty(), "threads do not run out as they should");
  limit_address_space(stack / 2);  // enough to register, too little for a stack
  go.store(true);
  go.notify_all();
  for (const pthread_t one : made) {
    void* number = nullptr;
    THREADREF_CHECK_CALL(pthread_join(one, &number));
    note_join(ctx, number);
  }
  limit_address_space(unlimited);
  on_new_thread(ctx, [&ctx] { ctx.attach(some); });
  return 0;
}

constexpr event rows[] = {
    {.name = "fault/first_use",
     .asks = "does it work, or refuse, if a call for memory fails in the first use of all?",
     .run = &first_use,
     .conditions = {{{"call 1", preload},
                     {"call 2", preload},
                     {"call 3", preload},
                     {"call 4", preload},
                     {"call 5", preload},
                     {"call 6", preload},
                     {"all calls", preload}}},
     .checks = "104",
     .promise = outcome::refused,
     .not_under_tsan = allocator_is_its_own,
     .not_under_asan = allocator_is_its_own},
    // Differs: W-15: the caller gets an error.
    {.name = "fault/each_call",
     .asks = "does a new thread's registration work, or refuse, whichever call for memory fails?",
     .run = &each_call,
     .conditions = {{{"one call", preload}, {"that one and all later", preload}}},
     .checks = "104",
     .promise = outcome::refused,
     .not_under_tsan = allocator_is_its_own,
     .not_under_asan = allocator_is_its_own},
    // Differs: R-37: the exit asks for no memory.
    {.name = "fault/exit_without_memory",
     .asks = "do callbacks run if there is no memory while their thread ends?",
     .run = &exits_without_memory,
     .conditions = {{{"all calls fail", preload}}},
     .checks = "105",
     .not_under_tsan = allocator_is_its_own,
     .not_under_asan = allocator_is_its_own},
    {.name = "fault/late_without_memory",
     .asks = "does what they register then run, or is it refused?",
     .run = &registers_late_without_memory,
     .conditions = {{{"all calls fail", preload}}},
     .checks = "105",
     .promise = outcome::refused,
     .not_under_tsan = allocator_is_its_own,
     .not_under_asan = allocator_is_its_own},
    {.name = "fault/little_address_space",
     .asks = "does it refuse what a process with 256 KiB of address space has no room for?",
     .run = &little_address_space,
     .checks = "104",
     .promise = outcome::refused,
     .not_under_tsan = "the sanitizer maps terabytes",
     .not_under_asan = "the sanitizer maps terabytes"},
    {.name = "fault/no_more_files",
     .asks = "do callbacks run in a process that may open no file?",
     .run = &no_more_files,
     .not_under_tsan = "the sanitizer opens files",
     .not_under_asan = "the sanitizer opens files"},
    {.name = "fault/no_more_threads",
     .asks = "do callbacks run in a process that gets no more threads, and when it does again?",
     .run = &no_more_threads,
     .checks = "108",
     .not_under_tsan = "the sanitizer maps terabytes",
     .not_under_asan = "the sanitizer maps terabytes"},
};

}  // namespace
}  // namespace of_fault

std::span<const event> fault_events() {
  return of_fault::rows;
}

}  // namespace threadref::stress
