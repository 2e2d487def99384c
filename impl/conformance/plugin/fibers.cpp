// SPDX-License-Identifier: MIT
// Fibers that go on on another thread. Compiled as one file with the library and with hidden names,
// as link-time optimisation sees it: then compilers keep the address of a thread_local, or of the
// object's part of the thread's storage, for a whole function.
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "threadref/threadref.hpp"

namespace {

using namespace threadref;

struct fiber {
  ucontext_t own{};
  ucontext_t back{};  // where it goes on when it switches
  char stack[256 * 1024];
};
fiber one;
pid_t registered_on[2];
std::atomic<pid_t> ran_on[2];

pid_t tid() {
  return static_cast<pid_t>(syscall(SYS_gettid));  // gettid() may be cached, too
}
struct note {
  int which;
  void operator()() const { ran_on[which].store(tid()); }
};
[[gnu::always_inline]] inline void add(int which) {
  registered_on[which] = tid();
  finalize(note{which});
}
[[gnu::always_inline]] inline void leave() {
  swapcontext(&one.own, &one.back);
}

// Each uses the library, switches, and uses it again.
[[gnu::noinline]] void same_call() {
  for (int i = 0; i != 2; ++i) {
    add(i);
    if (i == 0) leave();
  }
  setcontext(&one.back);
}
[[gnu::noinline]] void two_calls() {
  add(0);
  leave();
  add(1);
  setcontext(&one.back);
}

// Starts `body` on one thread and lets another finish it. False: something ran elsewhere than on
// the thread that registered it.
bool moves(void (*body)()) {
  ran_on[0] = ran_on[1] = 0;
  std::atomic<int> step{0};
  std::thread first([&] {
    ensure();
    getcontext(&one.own);
    one.own.uc_stack.ss_sp = one.stack;
    one.own.uc_stack.ss_size = sizeof one.stack;
    one.own.uc_link = nullptr;
    makecontext(&one.own, body, 0);
    swapcontext(&one.back, &one.own);
    step = 1;
    step.notify_all();
    step.wait(1);
  });
  std::thread second([&] {
    ensure();
    step.wait(0);
    swapcontext(&one.back, &one.own);
  });
  second.join();
  const bool in_time = ran_on[1] == registered_on[1];
  step = 2;
  step.notify_all();
  first.join();
  return in_time && ran_on[0] == registered_on[0];
}

}  // namespace

extern "C" [[gnu::visibility("default")]] bool threadref_fibers() {
  return moves(&same_call) && moves(&two_calls);
}
