// SPDX-License-Identifier: MIT
// L 124. An allocator attaches a node to each thread in the thread's first malloc, to clear its
// cache when the thread exits. The library must not call malloc there: such calls are counted.
//
// It is linked twice: with the library's own keys, and with keys whose index is so high that glibc
// calls calloc for their values; there the library must refuse.
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

// What the allocator stores for a thread.
template <backend B>
struct cache {
  basic_exit_node<B> at_exit;
  std::atomic<int> cleaned{0};     // by at_exit
  std::atomic<int> finalizers{0};  // that ran
  std::errc node_error{};
  std::errc finalizer_error{};
  int by_node = 0;       // calls of malloc while at_exit was attached
  int by_finalizer = 0;  // and while a finalizer was registered
};
template <backend B>
std::array<cache<B>, threads_at_once> caches;

// How an allocator attaches its node.
enum class attaching { inside_malloc, as_usual };

// The calling thread's own state. Without a destructor, which would need memory.
struct thread_part {
  int number = -1;     // its cache; -1: none
  bool first = false;  // the next malloc is the first that the allocator handles
  attaching how = attaching::inside_malloc;
  bool inside = false;  // is in the allocator
  int reentered = 0;    // calls of malloc from inside
};
constinit thread_local thread_part here;

template <backend B>
void clean(void* c) {
  ++static_cast<cache<B>*>(c)->cleaned;
}

// The first malloc of a thread.
template <backend B>
void on_allocation() noexcept {
  if (here.inside) ++here.reentered;
  if (here.inside || !here.first) return;
  here.first = false;
  here.inside = true;
  cache<B>& mine = caches<B>[static_cast<std::size_t>(here.number)];
  mine.node_error = here.how == attaching::inside_malloc
                        ? mine.at_exit.attach_inside_malloc(&clean<B>, &mine)
                        : mine.at_exit.attach(&clean<B>, &mine);
  mine.by_node = std::exchange(here.reentered, 0);
  if (mine.node_error == std::errc{}) {
    mine.finalizer_error = try_finalize<B>([&mine] { ++mine.finalizers; }).error;
    mine.by_finalizer = std::exchange(here.reentered, 0);
  }
  here.inside = false;
}

// The work of a thread of the check.
struct task {
  int number = 0;
  attaching how = attaching::inside_malloc;
  bool later = false;  // it has used the library before its first malloc
  bool ran = false;
};
template <backend B>
void* use_memory(void* t) {
  auto& mine = *static_cast<task*>(t);
  if (mine.later) finalize<B>([&mine] { mine.ran = true; });
  here.number = mine.number;
  here.how = mine.how;
  here.first = true;
  std::free(std::malloc(100));
  for (int i = 0; i != 10; ++i) {  // later calls do nothing
    void* volatile more = std::malloc(1'000);
    std::free(more);
  }
  return nullptr;
}

// Runs some threads at once, from start to join.
template <backend B>
void start_and_join(attaching how, bool later) {
  std::array<task, threads_at_once> tasks;
  std::array<pthread_t, threads_at_once> threads{};
  for (int i = 0; i != threads_at_once; ++i) {
    const auto at = static_cast<std::size_t>(i);
    cache<B>& c = caches<B>[at];
    c.cleaned = c.finalizers = c.by_node = c.by_finalizer = 0;
    c.node_error = c.finalizer_error = std::errc{};
    tasks[at] = {.number = i, .how = how, .later = later};
    THREADREF_CHECK_CALL(pthread_create(&threads[at], nullptr, &use_memory<B>, &tasks[at]));
  }
  for (pthread_t t : threads) THREADREF_CHECK_CALL(pthread_join(t, nullptr));
  for (const task& t : tasks)
    THREADREF_CHECK(t.ran == later, "a finalizer registered outside malloc was lost");
}

template <backend B>
void cleans_every_cache() {
  for (int round = 0; round != testing::scaled(2'000); ++round) {
    for (const bool later : {false, true}) {
      start_and_join<B>(attaching::inside_malloc, later);
      for (const cache<B>& c : caches<B>) {
        THREADREF_CHECK(c.node_error == std::errc{}, "an exit_node was refused inside malloc");
        THREADREF_CHECK(c.finalizer_error == std::errc{}, "a finalizer was refused inside malloc");
        THREADREF_CHECK(c.by_node == 0, "attaching an exit_node called malloc");
        THREADREF_CHECK(c.by_finalizer == 0, "registering a finalizer called malloc");
        THREADREF_CHECK(c.cleaned == 1, "a cache was not cleaned exactly once");
        THREADREF_CHECK(c.finalizers == 1, "a finalizer did not run exactly once");
      }
    }
  }
}

template <backend B>
void refuses() {
  for (const bool later : {false, true}) {
    const counters before = stats<B>();
    start_and_join<B>(attaching::inside_malloc, later);
    for (const cache<B>& c : caches<B>) {
      THREADREF_CHECK(c.node_error == std::errc::operation_not_supported,
                      "an exit_node was not refused");
      THREADREF_CHECK(c.by_node == 0, "malloc was called before an exit_node was refused");
      THREADREF_CHECK(c.cleaned == 0, "a refused exit_node ran");
    }
    THREADREF_CHECK(stats<B>().registered - before.registered == (later ? threads_at_once : 0),
                    "a refused registration was counted");
  }
}

// What a back end without the capability would do, in an allocator that tolerates reentry.
template <backend B>
void print_what_it_would_do() {
  int by_node = 0;
  int by_finalizer = 0;
  for (const bool later : {false, true}) {
    start_and_join<B>(attaching::as_usual, later);
    for (const cache<B>& c : caches<B>) {
      by_node = std::max(by_node, c.by_node);
      by_finalizer = std::max(by_finalizer, c.by_finalizer);
      THREADREF_CHECK(c.cleaned == 1 && c.finalizers == 1,
                      "an exit_node or a finalizer did not run exactly once");
    }
  }
  std::printf("would call malloc %d times for an exit_node, %d for a finalizer", by_node,
              by_finalizer);
}

// --- In a signal handler: reported, not guaranteed.

template <backend B>
struct interrupted {
  basic_exit_node<B> node;
  std::atomic<bool> ready{false};
  std::atomic<bool> attached{false};
  std::atomic<int> ran{0};
  int reentered = 0;
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
  t.reentered = here.reentered;
  t.ready = false;
  errno = saved;
}

// Allocates memory, and does not use the library, until the handler has run.
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
  int reentered = 0;
  for (int i = 0; i != rounds; ++i) {
    interrupted<B> t;
    target<B> = &t;
    pthread_t thread{};
    THREADREF_CHECK_CALL(pthread_create(&thread, nullptr, &wait_for_signal<B>, &t));
    while (!t.ready) sched_yield();
    THREADREF_CHECK_CALL(pthread_kill(thread, SIGUSR1));
    THREADREF_CHECK_CALL(pthread_join(thread, nullptr));
    if (t.attached && t.ran == 1) ++ran;
    reentered += t.reentered;
  }
  std::printf("; attached in a signal handler, %d of %d ran, %d calls of malloc", ran, rounds,
              reentered);
}

template <backend B>
void check(bool late) {
  const bool claims = has(B::info.capabilities, capability::inside_malloc) && !late;
  THREADREF_CHECK(can_register_inside_malloc<B>() == claims,
                  "can_register_inside_malloc() contradicts the declared capability");
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
