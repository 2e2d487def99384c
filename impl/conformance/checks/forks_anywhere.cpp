// SPDX-License-Identifier: MIT
// I. fork() while another thread is at any instruction of the library: that thread is stepped, and
// this one forks before each step. For x86-64.
#include <gtest/gtest.h>
#include <semaphore.h>
#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "conformance/harness/child.hpp"
#include "conformance/harness/suite.hpp"
#include "conformance/harness/thread_values.hpp"
#include "testing/check.hpp"

// Where the program's own code is, and in it the library's.
extern "C" const char __executable_start;
extern "C" const char etext;

namespace threadref::conformance {
namespace {

THREADREF_SECTION(forks_anywhere);

// A thread that stops before each of its instructions that is in this program, and not in a shared
// library. Only what stepper::stop() may do without a lock is done on it.
class stepper {
 public:
  // From here on, on the calling thread.
  static void begin() {
    struct sigaction action = {};
    action.sa_sigaction = &stop;
    action.sa_flags = SA_SIGINFO;
    sigfillset(&action.sa_mask);
    THREADREF_CHECK_ERRNO(sigaction(SIGTRAP, &action, nullptr) == 0, "sigaction");
    is_stepping = true;
    asm volatile("lea -128(%%rsp), %%rsp\n pushfq\n orq %0, (%%rsp)\n popfq\n lea 128(%%rsp), %%rsp"
                 :
                 : "i"(trap_flag)
                 : "memory", "cc");
  }
  // On the same thread; it does not stop again.
  static void end() {
    is_stepping = false;
    sem_post(&has_stopped);
  }
  // On another thread: waits for its next stop; false if there is none.
  static bool wait() {
    while (sem_wait(&has_stopped) != 0) continue;
    return is_stepping;
  }
  static void go_on() { sem_post(&may_go_on); }

 private:
  static constexpr long trap_flag = 0x100;
  static void stop(int /*signal*/, siginfo_t* /*info*/, void* context) {
    const int saved = errno;
    auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    const auto at = static_cast<std::uintptr_t>(registers[REG_RIP]);
    if (!is_stepping) {
      registers[REG_EFL] &= ~trap_flag;
    } else if (at >= reinterpret_cast<std::uintptr_t>(&__executable_start) &&
               at < reinterpret_cast<std::uintptr_t>(&etext)) {
      sem_post(&has_stopped);
      while (sem_wait(&may_go_on) != 0) continue;
    }
    errno = saved;
  }
  static inline std::atomic<bool> is_stepping{false};
  static inline sem_t has_stopped{};
  static inline sem_t may_go_on{};
};

// What the surviving thread has, and how often each of it ran; the last three by `stepped`.
template <class B>
struct survivors {
  static constexpr std::size_t of_array = 4;
  std::array<plain_finalizer<B>, 2 * of_array> all;
  std::array<int, 2 * of_array> ran{};
  void add() {
    for (std::size_t i = 0; i != all.size(); ++i) {
      const exit_phase phase = i < of_array ? exit_phase::last : exit_phase::very_last;
      all[i] = finalize_in<B>(phase, [this, i] { ++ran[i]; });
    }
  }
};

std::uint64_t fates(const counters& all) {
  return all.ran_at_exit + all.ran_by_call + all.detached + all.dropped + all.ran_at_process_exit +
         all.forgotten + all.abandoned;
}

// In the child. What holds, whatever the other thread was at; else the number of what does not.
template <class B>
int is_sound(survivors<B>& mine) {
  if (enumerate<B>().size() != 1) return 1;
  int pending = 0;
  for (const auto& f : mine.all) {
    if (f.state() == finalizer_state::running) return 2;
    if (f.alive()) ++pending;
  }
  counters now = stats<B>();
  if (now.registered != fates(now) + static_cast<std::uint64_t>(pending)) return 3;
  // Linked nodes that the other thread had, or was giving back, are used again.
  for (int i = 0; i != 3; ++i) {
    auto one = finalize_in<B>(exit_phase::very_last, [] {});
    os_thread([&one] { one.cancel(); }).join();
    if (one.alive()) return 4;
  }
  int ran_there = 0;
  os_thread([&ran_there] {
    for (int i = 0; i != 40; ++i) finalize<B>([&ran_there] { ++ran_there; });
  }).join();
  if (ran_there != 40) return 5;
  trim<B>();
  for (const auto& f : mine.all) {
    if (f.alive() != f()) return 6;
  }
  for (const int ran : mine.ran) {
    if (ran > 1) return 7;
  }
  now = stats<B>();
  if (now.registered != fates(now)) return 8;
  // Main's block and another one, which each of those threads had.
  return B::list::all().used() == 2 ? 0 : 9;
}

// `work` runs step by step on a new thread, as does the end of that thread if `to_the_end`. Forks
// before every `stride`-th step.
template <class B, class F>
int fork_anywhere(ledger& out, int stride, bool to_the_end, F work) {
  auto& mine = *new survivors<B>;
  mine.add();
  // The last destructor of that thread that there is.
  key_task last(PTHREAD_DESTRUCTOR_ITERATIONS, [](int round) {
    if (round == PTHREAD_DESTRUCTOR_ITERATIONS) stepper::end();
  });
  const pthread_key_t youngest = younger_key<B>();
  os_thread other([&] {
    if (to_the_end) last.arm(youngest);
    stepper::begin();
    work(mine);
    if (!to_the_end) stepper::end();
  });
  int steps = 0;
  std::string fault;
  for (; stepper::wait(); stepper::go_on()) {
    if (++steps % stride != 0 || !fault.empty()) continue;
    const pid_t child = checked_fork();
    if (child == 0) {
      alarm(20);
      // The C library may leave a vanished thread's value of a key to the next thread on its stack.
      testing::set_wrong_value_handler([]() noexcept {});
      _exit(is_sound<B>(mine));
    }
    if (const std::string how = wait_for_fork(child); how != "status 0")
      fault = how + " at " + std::to_string(steps);
  }
  other.join();
  out.note(fault.empty() ? "sound" : fault.c_str());
  out.note(steps > 200 ? "many steps" : "few steps");
  return 0;
}
void expect_sound(const outcome& end) {
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(trace_of(end, process::child), (names{"sound@main", "many steps@main"})) << end.output;
  expect_accounted(end.stats, 0);
}

// Every so many steps. The other back ends share the code of the default one.
template <class B>
int stride_of(int of_default) {
  return B::info.name == default_backend::info.name ? of_default : 67;
}

THREADREF_SCENARIO(c089_anywhere_in_a_call) {
  return fork_anywhere<B>(out, stride_of<B>(1), false, [](survivors<B>& of) {
    of.all[0]();
    of.all[survivors<B>::of_array]();
  });
}
TYPED_TEST(forks_anywhere, c089_anywhere_in_a_call) {
  expect_sound(play<TypeParam>());
}

THREADREF_SCENARIO(c089_anywhere_in_cancel_and_detach) {
  return fork_anywhere<B>(out, stride_of<B>(1), false, [](survivors<B>& of) {
    of.all[1].cancel();
    of.all[survivors<B>::of_array + 1].cancel();
    static_cast<void>(of.all[2].detach());
  });
}
TYPED_TEST(forks_anywhere, c089_anywhere_in_cancel_and_detach) {
  expect_sound(play<TypeParam>());
}

THREADREF_SCENARIO(c089_anywhere_in_detach_all) {
  return fork_anywhere<B>(out, stride_of<B>(7), false, [](survivors<B>& /*of*/) {
    detach_all<B>(reinterpret_cast<const void*>(&checked_fork));
  });
}
TYPED_TEST(forks_anywhere, c089_anywhere_in_detach_all) {
  expect_sound(play<TypeParam>());
}

THREADREF_SCENARIO(c089_anywhere_in_a_life) {
  return fork_anywhere<B>(out, stride_of<B>(5), true, [](survivors<B>& of) {
    for (const exit_phase p : {exit_phase::last, exit_phase::very_last})
      finalize_in<B>(p, [&of] { of.all[3].cancel(); });
    finalize<B>([] {}).cancel();
  });
}
TYPED_TEST(forks_anywhere, c089_anywhere_in_a_life) {
  expect_sound(play<TypeParam>());
}

THREADREF_SCENARIO(c089_anywhere_in_trim) {
  os_thread([] {
    for (int i = 0; i != 100'000; ++i) finalize<B>([] {});  // some mappings
  }).join();
  return fork_anywhere<B>(out, stride_of<B>(23), false, [](survivors<B>& /*of*/) { trim<B>(); });
}
TYPED_TEST(forks_anywhere, c089_anywhere_in_trim) {
  expect_sound(play<TypeParam>());
}

}  // namespace
}  // namespace threadref::conformance
