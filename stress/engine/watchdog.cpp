// SPDX-License-Identifier: MIT
#include "stress/engine/watchdog.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iterator>

#include "stress/engine/patience.hpp"
#include "stress/engine/round.hpp"
#include "testing/check.hpp"

// Of the sanitizers' runtime, if there is one.
extern "C" [[gnu::weak]] void __sanitizer_set_death_callback(void (*callback)());

namespace threadref::stress::minder {

namespace {

using clock = std::chrono::steady_clock;

std::atomic<bool> asked_to_stop{false};
std::atomic<unsigned> cells{0};  // begun and ended: odd while one runs
std::atomic<double> cpu_given{0};
std::atomic<double> wall_given{0};
void (*before_the_end)() = nullptr;

// Written before a cell begins, read by signal handlers: plain bytes.
char cell_name[128] = "";
char command[1024] = "";

void say(const char* text) noexcept {
  if (write(STDERR_FILENO, text, std::char_traits<char>::length(text)) < 0) return;
}

void say_last_words(const char* how, const char* why = "") noexcept {
  say("\nstress_threadref: ");
  say(cell_name[0] != '\0' ? cell_name : "after the last cell, it");
  say(how);
  say(why);
  if (command[0] != '\0') {
    say("\n  again: ");
    say(command);
  }
  say("\n");
}

// Not _exit(): ThreadSanitizer's looks for threads that nobody joined, and changes the status.
[[noreturn]] void end_at_once(int status) noexcept {
  before_the_end();
  syscall(SYS_exit_group, status);
  std::abort();
}

void on_crash(int /*signal*/) {
  say_last_words(" crashed");
  end_at_once(testing::status_crashed);
}

void on_report() {
  say_last_words(" was ended by the sanitizer, see above");
  before_the_end();
}

void catch_crashes() {
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(&on_report);
    return;  // the sanitizer tells more about a crash than we could
  }
  // A crash on a thread's own small stack may be an overflow of it.
  static char stack[64 * 1024];
  const stack_t own{.ss_sp = stack, .ss_flags = 0, .ss_size = sizeof stack};
  THREADREF_CHECK_ERRNO(sigaltstack(&own, nullptr) == 0, "sigaltstack");
  struct sigaction action {};
  action.sa_handler = &on_crash;
  action.sa_flags = static_cast<int>(SA_ONSTACK | SA_RESETHAND);
  for (const int s : {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE})
    THREADREF_CHECK_ERRNO(sigaction(s, &action, nullptr) == 0, "sigaction");
}

sigset_t endings() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

// timeout(1) sends its signal to the process and to its group: what comes twice in a moment is one
// wish.
void hear() {
  static clock::time_point first;
  if (asked_to_stop.exchange(true)) {
    if (clock::now() - first < std::chrono::milliseconds(200)) return;
    end_at_once(testing::status_interrupted);
  }
  first = clock::now();
  say("\nstress_threadref: asked to stop; the tally follows when this round has ended. "
      "Once more ends at once.\n");
}

double seconds_of(clockid_t which) {
  timespec used{};
  THREADREF_CHECK_ERRNO(clock_gettime(which, &used) == 0, "clock_gettime");
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

// Looks at the cell that runs, if one does.
void look() {
  static unsigned looked_at = 0;
  static hang_watch watch{patience{}};
  static double before = 0;
  const unsigned cell = cells.load(std::memory_order_acquire);
  // What the others have used: whoever sleeps may not be kept awake by being looked at.
  const double used = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - seconds_of(CLOCK_THREAD_CPUTIME_ID);
  if (cell != looked_at) {
    looked_at = cell;
    watch = hang_watch({.cpu_seconds = cpu_given.load(), .wall_seconds = wall_given.load()});
    before = used;
  }
  if (cell % 2 == 0) return;
  if (is_in_wait_for_end()) return watch.moved();  // which has a patience of its own
  if (const std::string_view how = watch.look(used - before); !how.empty()) {
    say_last_words(" hangs: ", how.data());
    end_at_once(testing::status_crashed);
  }
}

void* watch(void* /*nothing*/) {
  const sigset_t set = endings();
  constexpr long milliseconds = hang_watch::milliseconds_between_looks;
  const timespec moment{.tv_sec = 0, .tv_nsec = milliseconds * 1'000'000};
  for (;;) {
    if (sigtimedwait(&set, nullptr, &moment) > 0) {
      hear();
    } else {
      look();
    }
  }
  return nullptr;
}

void copy(const std::string& from, char* to, std::size_t room) {
  *std::copy_n(from.begin(), std::min(from.size(), room - 1), to) = '\0';
}

}  // namespace

void start(void (*last_deed)()) {
  before_the_end = last_deed;
  catch_crashes();
  const sigset_t set = endings();
  THREADREF_CHECK_CALL(pthread_sigmask(SIG_BLOCK, &set, nullptr));
  pthread_t minder{};
  THREADREF_CHECK_CALL(start_thread(minder, &watch, nullptr, true));
}

bool stopping() noexcept {
  return asked_to_stop.load(std::memory_order_relaxed);
}

void begin_cell(const std::string& cell, const std::string& again, double cpu_seconds,
                double wall_seconds) {
  copy(cell, cell_name, std::size(cell_name));
  copy(again, command, std::size(command));
  cpu_given.store(cpu_seconds);
  wall_given.store(wall_seconds);
  cells.fetch_add(1, std::memory_order_release);
}

void end_cell() noexcept {
  cells.fetch_add(1, std::memory_order_release);
  cell_name[0] = '\0';
}

}  // namespace threadref::stress::minder
