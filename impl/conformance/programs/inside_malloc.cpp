// SPDX-License-Identifier: MIT
// L 124. An allocator attaches to each thread in the thread's first malloc, to clean its cache when
// the thread exits. The library must not call malloc from there: what comes back in is counted.
//
// It is linked twice: with the library's own keys, and with keys of an index that glibc calls
// calloc for, where the library must refuse.
//
// exit status: 0 fine · 3 lost, or wrong
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <utility>

#include "conformance/harness/check_line.hpp"
#include "testing/check.hpp"
#include "testing/memory_hooks.hpp"
#include "testing/scale.hpp"
#include "threadref/threadref.hpp"

namespace {

using namespace threadref;
using namespace threadref::conformance;

constexpr int threads_at_once = 8;

// What the allocator keeps for a thread.
template <backend B>
struct cache {
  basic_exit_node<B> at_exit;
  std::atomic<int> cleaned{0};     // by at_exit
  std::atomic<int> finalizers{0};  // that ran
  std::errc node_error{};
  std::errc finalizer_error{};
  int by_node = 0;       // calls of malloc from inside, as at_exit was attached
  int by_finalizer = 0;  // and as a finalizer was registered
};
template <backend B>
std::array<cache<B>, threads_at_once> caches;

// What the calling thread knows. Without a destructor, which would need memory.
struct thread_part {
  int number = -1;      // which cache is its own; none: the allocator leaves it alone
  bool first = false;   // nothing was allocated yet
  bool asks = true;     // whether it may: attach_inside_malloc()
  bool inside = false;  // in the allocator
  int came_back = 0;    // malloc was called from inside
};
constinit thread_local thread_part here;

template <backend B>
void clean(void* c) {
  ++static_cast<cache<B>*>(c)->cleaned;
}

// The first malloc of a thread.
template <backend B>
void on_allocation() noexcept {
  if (here.inside) ++here.came_back;
  if (here.inside || !here.first) return;
  here.first = false;
  here.inside = true;
  cache<B>& mine = caches<B>[static_cast<std::size_t>(here.number)];
  mine.node_error = here.asks ? mine.at_exit.attach_inside_malloc(&clean<B>, &mine)
                              : mine.at_exit.attach(&clean<B>, &mine);
  mine.by_node = std::exchange(here.came_back, 0);
  if (mine.node_error == std::errc{}) {
    mine.finalizer_error = try_finalize<B>([&mine] { ++mine.finalizers; }).error;
    mine.by_finalizer = std::exchange(here.came_back, 0);
  }
  here.inside = false;
}

// What a thread of the check does.
struct task {
  int number = 0;
  bool asks = true;
  bool later = false;  // it has used the library before
  bool ran = false;
};
template <backend B>
void* use_memory(void* t) {
  auto& mine = *static_cast<task*>(t);
  if (mine.later) finalize<B>([&mine] { mine.ran = true; });
  here.number = mine.number;
  here.asks = mine.asks;
  here.first = true;
  std::free(std::malloc(100));
  for (int i = 0; i != 10; ++i) {  // and in any of its later ones nothing happens
    void* volatile more = std::malloc(1'000);
    std::free(more);
  }
  return nullptr;
}

// Some threads at once, from start to join.
template <backend B>
void start_and_join(bool asks, bool later) {
  std::array<task, threads_at_once> tasks;
  std::array<pthread_t, threads_at_once> threads{};
  for (int i = 0; i != threads_at_once; ++i) {
    const auto at = static_cast<std::size_t>(i);
    cache<B>& c = caches<B>[at];
    c.cleaned = c.finalizers = c.by_node = c.by_finalizer = 0;
    c.node_error = c.finalizer_error = std::errc{};
    tasks[at] = {.number = i, .asks = asks, .later = later};
    THREADREF_CHECK_CALL(pthread_create(&threads[at], nullptr, &use_memory<B>, &tasks[at]));
  }
  for (pthread_t t : threads) THREADREF_CHECK_CALL(pthread_join(t, nullptr));
  for (const task& t : tasks)
    THREADREF_CHECK(t.ran == later, "a finalizer from outside of malloc was lost");
}

template <backend B>
void cleans_every_cache() {
  for (int round = 0; round != testing::scaled(2'000); ++round) {
    for (const bool later : {false, true}) {
      start_and_join<B>(true, later);
      for (const cache<B>& c : caches<B>) {
        THREADREF_CHECK(c.node_error == std::errc{}, "an exit_node was refused inside malloc");
        THREADREF_CHECK(c.finalizer_error == std::errc{}, "a finalizer was refused inside malloc");
        THREADREF_CHECK(c.by_node == 0, "attaching an exit_node called malloc");
        THREADREF_CHECK(c.by_finalizer == 0, "registering a finalizer called malloc");
        THREADREF_CHECK(c.cleaned == 1, "a cache was not cleaned once");
        THREADREF_CHECK(c.finalizers == 1, "a finalizer did not run once");
      }
    }
  }
}

template <backend B>
void refuses() {
  for (const bool later : {false, true}) {
    const counters before = stats<B>();
    start_and_join<B>(true, later);
    for (const cache<B>& c : caches<B>) {
      THREADREF_CHECK(c.node_error == std::errc::operation_not_supported, "it was not refused");
      THREADREF_CHECK(c.by_node == 0, "malloc was called before it was refused");
      THREADREF_CHECK(c.cleaned == 0, "it ran although it was refused");
    }
    THREADREF_CHECK(stats<B>().registered - before.registered == (later ? threads_at_once : 0),
                    "what was refused was counted");
  }
}

// What a back end that makes no promise would do, seen from an allocator that can bear it.
template <backend B>
void print_what_it_would_do() {
  int by_node = 0;
  int by_finalizer = 0;
  for (const bool later : {false, true}) {
    start_and_join<B>(false, later);
    for (const cache<B>& c : caches<B>) {
      by_node = std::max(by_node, c.by_node);
      by_finalizer = std::max(by_finalizer, c.by_finalizer);
      THREADREF_CHECK(c.cleaned == 1 && c.finalizers == 1, "it did not run once");
    }
  }
  std::printf("would call malloc %d times for an exit_node, %d for a finalizer", by_node,
              by_finalizer);
}

// --- The signal handler: reported, not promised.

template <backend B>
struct interrupted {
  basic_exit_node<B> node;
  std::atomic<bool> ready{false};
  std::atomic<bool> attached{false};
  std::atomic<int> ran{0};
  int came_back = 0;
};
template <backend B>
constinit std::atomic<interrupted<B>*> target{nullptr};

template <backend B>
void on_signal(int /*number*/) {
  const int saved = errno;
  interrupted<B>& t = *target<B>.load();
  here.inside = true;
  const auto count = [](void* ran) { ++*static_cast<std::atomic<int>*>(ran); };
  t.attached = t.node.attach_inside_malloc(count, &t.ran) == std::errc{};
  here.inside = false;
  t.came_back = here.came_back;
  t.ready = false;
  errno = saved;
}

// Busy with memory, and with nothing of the library's, until the handler has been.
template <backend B>
void* wait_for_signal(void* t) {
  auto& mine = *static_cast<interrupted<B>*>(t);
  mine.ready = true;
  while (mine.ready) {
    void* volatile p = std::malloc(1'000);
    std::free(p);
  }
  return nullptr;
}

template <backend B>
void print_signal_row() {
  struct sigaction wanted = {};
  wanted.sa_handler = &on_signal<B>;
  THREADREF_CHECK_ERRNO(sigaction(SIGUSR1, &wanted, nullptr) == 0, "sigaction");
  const int rounds = testing::scaled(4'000);
  int ran = 0;
  int came_back = 0;
  for (int i = 0; i != rounds; ++i) {
    interrupted<B> t;
    target<B> = &t;
    pthread_t thread{};
    THREADREF_CHECK_CALL(pthread_create(&thread, nullptr, &wait_for_signal<B>, &t));
    while (!t.ready) sched_yield();
    THREADREF_CHECK_CALL(pthread_kill(thread, SIGUSR1));
    THREADREF_CHECK_CALL(pthread_join(thread, nullptr));
    if (t.attached && t.ran == 1) ++ran;
    came_back += t.came_back;
  }
  std::printf("; attached in a signal handler, %d of %d ran, %d calls of malloc", ran, rounds,
              came_back);
}

template <backend B>
void check(bool late) {
  const bool claims = has(B::info.capabilities, capability::inside_malloc) && !late;
  THREADREF_CHECK(can_register_inside_malloc<B>() == claims, "it claims what it can't, or less");
  std::printf("%-21s %s", B::info.name.data(), claims ? "works" : "refused: ");
  testing::set_allocation_hook(&on_allocation<B>);
  if (claims) {
    cleans_every_cache<B>();
    print_signal_row<B>();
  } else {
    refuses<B>();
    print_what_it_would_do<B>();
  }
  testing::set_allocation_hook(nullptr);
  std::printf("\n");
  if (late) return print_check("c124_late_keys_are_refused", B::info);
  constexpr std::string_view name = "c124_an_allocator_registers";
  if (claims) {
    print_check(name, B::info);
  } else {
    print_not_applicable(name, B::info, "the system would call malloc, or can't be asked");
  }
}

}  // namespace

int main() {
  pthread_key_t probe{};
  THREADREF_CHECK_CALL(pthread_key_create(&probe, nullptr));
  for_each_type(backends{}, [late = probe >= 32]<class B>() { check<B>(late); });
}
