// SPDX-License-Identifier: MIT
// L 103 to 105: memory fails, at each call for it in turn while registering, and at all of them
// during the exit. Each attempt is made in a child of its own, in which nothing was used before: so
// the process's first use is among what fails, and what ends the process is seen from outside.
//
// It is linked twice: with the library's own keys, and with keys of an index that glibc needs
// memory for.
//
// exit status: 0 fine · 3 lost, or wrong
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>
#include <thread>

#include "conformance/harness/check_line.hpp"
#include "conformance/harness/memory_steps.hpp"
#include "testing/check.hpp"
#include "testing/memory_hooks.hpp"
#include "threadref/threadref.hpp"

namespace {

using namespace threadref;
using namespace threadref::conformance;

// What a child leaves to its parent.
struct report {
  testing::memory_watch watch;
  volatile step now{};
  bool worked = false;
};
report& shared() {
  static report* const one = [] {
    void* const memory =
        mmap(nullptr, sizeof(report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    THREADREF_CHECK_ERRNO(memory != MAP_FAILED, "mmap");
    return ::new (memory) report;
  }();
  return *one;
}

enum class end { fine, aborted };

// What children print to stderr: shown if they fail. glibc says a line for each process it ends.
int said() {
  static const int file = [] {
    const int made = memfd_create("said", MFD_CLOEXEC);
    THREADREF_CHECK_ERRNO(made >= 0, "memfd_create");
    return made;
  }();
  return file;
}
void show_what_was_said() {
  char text[1024];
  const ssize_t length = pread(said(), text, sizeof text, 0);
  if (length > 0) std::fwrite(text, 1, static_cast<std::size_t>(length), stderr);
}

// Runs body() in a child. glibc ends a process by abort() when it has no memory for the destructor
// of a thread_local; nothing else may.
template <class F>
end in_child(F body) {
  std::fflush(stdout);
  ::new (&shared()) report;
  THREADREF_CHECK_ERRNO(ftruncate(said(), 0) == 0, "ftruncate");
  THREADREF_CHECK_ERRNO(lseek(said(), 0, SEEK_SET) == 0, "lseek");
  const pid_t child = fork();
  THREADREF_CHECK_ERRNO(child >= 0, "fork");
  if (child == 0) {
    THREADREF_CHECK_ERRNO(dup2(said(), STDERR_FILENO) >= 0, "dup2");
    const rlimit no_core{};
    THREADREF_CHECK_ERRNO(setrlimit(RLIMIT_CORE, &no_core) == 0, "setrlimit");
    std::set_terminate([] { testing::die("std::terminate", __FILE__, __LINE__, 0); });
    body();
    std::_Exit(testing::status_fine);
  }
  int status = 0;
  THREADREF_CHECK_ERRNO(waitpid(child, &status, 0) == child, "waitpid");
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) return end::aborted;
  const bool fine = WIFEXITED(status) && WEXITSTATUS(status) == testing::status_fine;
  if (!fine) show_what_was_said();
  THREADREF_CHECK(fine, "a child failed; what it printed says why");
  return end::fine;
}

template <backend B>
constexpr bool is(const char* name) {
  return B::info.name == name;
}

// Where glibc ends the process: it gives no error for want of memory.
template <backend B>
constexpr bool ends_process(step s) {
  const bool on_list = s == step::small || s == step::boxed || s == step::copying ||
                       s == step::callback || s == step::many;
  if (is<B>("cxa_thread_atexit")) return on_list || s == step::early;
  if (is<B>("boost_at_thread_exit")) return false;
  return s == step::early || (is<B>("cxx_thread_local") && s == step::small);
}

// Called when the exit stages are over.
using function = void (*)();
constinit function at_the_end = nullptr;
[[gnu::constructor(101)]] void be_called_last() {
  THREADREF_CHECK(std::atexit([] {
                    if (at_the_end != nullptr) at_the_end();
                  }) == 0,
                  "atexit");
}
template <backend B>
constinit registrations<B>* of_main = nullptr;

enum class on { a_thread, main };

// In a child: registrations from their making to the end of their thread, or of the process.
template <backend B, class F>
void live(on thread, F make) {
  if (thread == on::a_thread) {
    registrations<B> all;
    std::thread([&] { make(all); }).join();
    all.judge(&counters::ran_at_exit);
    THREADREF_CHECK(enumerate<B>().empty(), "a dead thread is believed to be alive");
    shared().worked = true;
    return;
  }
  of_main<B> = new registrations<B>;
  make(*of_main<B>);
  at_the_end = [] {
    testing::watch_memory(nullptr);
    of_main<B>->judge(&counters::ran_at_process_exit);
    shared().worked = true;
  };
  std::exit(testing::status_fine);
}

// Children that glibc ended. The early phase needs a thread_local of every hook back end, as its
// documentation says.
struct ends {
  int all = 0;
  int outside_early = 0;
};

// 104. Strong guarantee: a registration happened entirely, or not at all. `fails_after`: from the
// failing call on there is no memory any more. Gives how many calls could fail.
template <backend B>
long fails_in_turn(on thread, bool fails_after, ends& seen) {
  std::array<bool, steps> ended_at{};
  for (long k = 1;; ++k) {
    const end how = in_child([&] {
      live<B>(thread, [&](registrations<B>& all) {
        shared().watch = {.fails_at = k, .fails_after = fails_after};
        testing::watch_memory(&shared().watch);
        all.make(shared().now);
        testing::watch_memory(nullptr);
      });
    });
    const step at = shared().now;
    if (how == end::aborted) {
      THREADREF_CHECK(ends_process<B>(at), "want of memory ended the process");
      ended_at[static_cast<std::size_t>(at)] = true;
      ++seen.all;
      if (at != step::early) ++seen.outside_early;
      continue;
    }
    THREADREF_CHECK(shared().worked, "a child did not come to its end");
    if (shared().watch.failed != 0) continue;
    for (std::size_t i = 0; i != steps; ++i) {
      const bool missed = !ended_at[i] && ends_process<B>(static_cast<step>(i));
      THREADREF_CHECK(fails_after || !missed,
                      "want of memory did not end the process where it is said to");
    }
    THREADREF_CHECK(k > 1, "no call was seen: nothing was proved");
    return k - 1;
  }
}

constexpr testing::memory_watch all_fail{.fails_at = 1, .fails_after = true};

// 105. From the first finalizer on there is no memory, and none is asked for.
template <backend B>
void needs_none_at_exit(on thread) {
  const end how = in_child([&] {
    thread_handle pin;  // so that the exit also looks after a handle
    live<B>(thread, [&](registrations<B>& all) {
      all.make(shared().now);
      for (std::size_t i = 0; i != steps; ++i)
        THREADREF_CHECK(all.made(static_cast<step>(i)) != 0, "refused although there was memory");
      pin = current<B>();
      shared().watch = all_fail;
      all.watch_exit(shared().watch);
    });
  });
  THREADREF_CHECK(how == end::fine && shared().worked, "a child did not come to its end");
  THREADREF_CHECK(shared().watch.asked == 0, "memory was asked for during the exit");
}

// What a thread's first registration comes to when malloc has nothing.
enum class outcome { works, refused, ends_process };

bool keys_are_late() {
  pthread_key_t probe{};
  THREADREF_CHECK_CALL(pthread_key_create(&probe, nullptr));
  THREADREF_CHECK_CALL(pthread_key_delete(probe));
  return probe >= 32;
}

template <backend B>
outcome expected_first() {
  if (is<B>("cxx_thread_local")) return outcome::ends_process;
  // Boost has data of its own for each thread.
  if (is<B>("boost_tss") || is<B>("boost_at_thread_exit") || keys_are_late())
    return outcome::refused;
  return is<B>("cxa_thread_atexit") ? outcome::ends_process : outcome::works;
}

// 103. After a refusal nothing is left of it, and the next attempt has a clean start.
template <backend B>
outcome first_without_memory() {
  const end how = in_child([] {
    // Blocks and slabs are there: it is only the hook that is new to the thread.
    std::thread([] { finalize<B>([] {}); }).join();
    const counters before = stats<B>();
    int ran = 0;
    testing::memory_watch& watch = shared().watch;
    watch = all_fail;
    std::thread([&] {
      const auto count = [&ran] { ++ran; };
      testing::watch_memory(&watch);
      const std::errc error = try_finalize<B>(count).error;
      testing::watch_memory(nullptr);
      shared().worked = error == std::errc{};
      if (shared().worked) return;
      THREADREF_CHECK(error == std::errc::not_enough_memory, "want of memory by another name");
      THREADREF_CHECK(stats<B>().registered == before.registered, "what was refused was counted");
      finalize<B>(count);
    }).join();
    THREADREF_CHECK(ran == 1, "a finalizer did not run once");
    THREADREF_CHECK(shared().worked == (watch.failed == 0), "refused, although nothing failed");
    THREADREF_CHECK(enumerate<B>().empty(), "a dead thread is believed to be alive");
  });
  if (how == end::aborted) return outcome::ends_process;
  return shared().worked ? outcome::works : outcome::refused;
}

// What was seen is what is declared.
template <backend B>
void say(outcome first, const ends& seen) {
  if (keys_are_late()) {
    constexpr std::string_view name = "c103_no_memory_for_a_late_key";
    const bool declared = declared_deviation(B::info, name) != nullptr;
    THREADREF_CHECK(declared == (first == outcome::ends_process), "103 is declared otherwise");
    print_check(name, B::info);
    return;
  }
  constexpr std::string_view name = "c104_memory_fails_at_each_call";
  const bool declared = declared_deviation(B::info, name) != nullptr;
  THREADREF_CHECK(declared == (seen.outside_early != 0), "104 is declared otherwise");
  print_check(name, B::info);
  print_check("c105_no_memory_during_the_exit", B::info);
}

template <backend B>
void check() {
  constexpr std::string_view words[] = {"works", "is refused", "ends the process"};
  const outcome first = first_without_memory<B>();
  THREADREF_CHECK(first == expected_first<B>(), "a thread's first registration fares otherwise");
  ends seen;
  long failed = 0;
  for (const on thread : {on::a_thread, on::main}) {
    for (const bool fails_after : {false, true})
      failed += fails_in_turn<B>(thread, fails_after, seen);
    needs_none_at_exit<B>(thread);
  }
  std::printf("%-21s first without memory: %s; %ld failing calls, %d of which ended the process\n",
              B::info.name.data(), words[static_cast<int>(first)].data(), failed, seen.all);
  say<B>(first, seen);
}

// A watch that sees nothing would prove everything.
void check_the_watch() {
  testing::memory_watch watch = all_fail;
  testing::watch_memory(&watch);
  void* volatile heap = std::malloc(1);
  void* const mapped = mmap(nullptr, 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  bool thrown = false;
  try {
    int* volatile made = new int(0);
    delete made;
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  testing::watch_memory(nullptr);
  THREADREF_CHECK(heap == nullptr && mapped == MAP_FAILED && thrown, "memory does not fail");
  THREADREF_CHECK(watch.asked >= 3, "calls for memory are not seen");
}

// glibc keeps exit functions in blocks of 32: from here on the next one needs memory. An exit stage
// that is armed by the first registration is then among what fails.
void fill_exit_table() {
  testing::memory_watch watch;
  testing::watch_memory(&watch);
  const auto add = [] { THREADREF_CHECK(std::atexit([] {}) == 0, "atexit"); };
  while (watch.asked == 0) add();
  for (int i = 0; i != 31; ++i) add();
  testing::watch_memory(nullptr);
  THREADREF_CHECK(watch.asked == 1, "the blocks of exit functions have another size");
}

}  // namespace

int main() {
  check_the_watch();
  fill_exit_table();
  for_each_type(backends{}, []<class B>() { check<B>(); });
}
