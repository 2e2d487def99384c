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

#include "stress/engine/hang_detector.hpp"
#include "stress/engine/round.hpp"
#include "testing/check.hpp"

// From the sanitizer's runtime, if one is linked.
extern "C" [[gnu::weak]] void __sanitizer_set_death_callback(void (*callback)());

namespace threadref::stress::watchdog {

namespace {

using clock = std::chrono::steady_clock;

std::atomic<bool> stop_requested{false};
std::atomic<unsigned> cells{0};  // cells begun plus cells ended: odd while one runs
std::atomic<double> cpu_limit{0};
std::atomic<double> wall_limit{0};
void (*abort_hook)() = nullptr;

// Written before a cell begins and read by signal handlers, so plain bytes.
char cell_name[128] = "";
char command[1024] = "";

void print(const char* text) noexcept {
  if (write(STDERR_FILENO, text, std::char_traits<char>::length(text)) < 0) return;
}

void report_death(const char* how, const char* why = "") noexcept {
  print("\nstress_threadref: ");
  print(cell_name[0] != '\0' ? cell_name : "after the last cell, it");
  print(how);
  print(why);
  if (command[0] != '\0') {
    print("\n  again: ");
    print(command);
  }
  print("\n");
}

// Not _exit(): ThreadSanitizer's version looks for unjoined threads and changes the status.
[[noreturn]] void exit_now(int status) noexcept {
  abort_hook();
  syscall(SYS_exit_group, status);
  std::abort();
}

void on_crash(int /*signal*/) {
  report_death(" crashed");
  exit_now(testing::status_crashed);
}

void on_sanitizer_death() {
  report_death(" was ended by the sanitizer, see above");
  abort_hook();
}

void catch_crashes() {
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(&on_sanitizer_death);
    return;  // the sanitizer says more about a crash than we could
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

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

// timeout(1) signals the process and then its group, so two signals within a moment are one
// request.
void on_stop_signal() {
  static clock::time_point first;
  if (stop_requested.exchange(true)) {
    if (clock::now() - first < std::chrono::milliseconds(200)) return;
    exit_now(testing::status_interrupted);
  }
  first = clock::now();
  print(
      "\nstress_threadref: asked to stop; the tally follows when this round has ended. "
      "Once more ends at once.\n");
}

double seconds_of(clockid_t which) {
  timespec used{};
  THREADREF_CHECK_ERRNO(clock_gettime(which, &used) == 0, "clock_gettime");
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

// Checks the cell that is running, if any.
void check_for_hang() {
  static unsigned checked_cell = 0;
  static hang_detector detector{hang_limits{}};
  static double before = 0;
  const unsigned cell = cells.load(std::memory_order_acquire);
  // Without this thread's own CPU time: checking must not make a sleeping program look busy.
  const double used = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - seconds_of(CLOCK_THREAD_CPUTIME_ID);
  if (cell != checked_cell) {
    checked_cell = cell;
    detector = hang_detector({.cpu_seconds = cpu_limit.load(), .wall_seconds = wall_limit.load()});
    before = used;
  }
  if (cell % 2 == 0) return;
  if (is_in_wait_for_end()) return detector.progressed();  // that has limits of its own
  if (const std::string_view how = detector.look(used - before); !how.empty()) {
    report_death(" hangs: ", how.data());
    exit_now(testing::status_crashed);
  }
}

void* run(void* /*unused*/) {
  const sigset_t set = stop_signals();
  constexpr long milliseconds = hang_detector::milliseconds_between_looks;
  const timespec moment{.tv_sec = 0, .tv_nsec = milliseconds * 1'000'000};
  for (;;) {
    if (sigtimedwait(&set, nullptr, &moment) > 0) {
      on_stop_signal();
    } else {
      check_for_hang();
    }
  }
  return nullptr;
}

void copy(const std::string& from, char* to, std::size_t size) {
  *std::copy_n(from.begin(), std::min(from.size(), size - 1), to) = '\0';
}

}  // namespace

void start(void (*on_abort)()) {
  abort_hook = on_abort;
  catch_crashes();
  const sigset_t set = stop_signals();
  THREADREF_CHECK_CALL(pthread_sigmask(SIG_BLOCK, &set, nullptr));
  pthread_t thread{};
  THREADREF_CHECK_CALL(start_thread(thread, &run, nullptr, joining::detached));
}

bool stopping() noexcept {
  return stop_requested.load(std::memory_order_relaxed);
}

void begin_cell(const std::string& cell, const std::string& again, double cpu_seconds,
                double wall_seconds) {
  copy(cell, cell_name, std::size(cell_name));
  copy(again, command, std::size(command));
  cpu_limit.store(cpu_seconds);
  wall_limit.store(wall_seconds);
  cells.fetch_add(1, std::memory_order_release);
}

void end_cell() noexcept {
  cells.fetch_add(1, std::memory_order_release);
  cell_name[0] = '\0';
}

}  // namespace threadref::stress::watchdog
