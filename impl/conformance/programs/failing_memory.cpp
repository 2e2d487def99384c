// SPDX-License-Identifier: MIT
// L 103 to 105: allocations fail, one after the other while registering, and all of them during the
// exit. Each attempt runs in a child process that has not used the library yet: so the process's
// first use fails too, and the parent sees what ends the process.
//
// It is linked twice: with the library's own keys, and with keys whose index is so high that glibc
// needs memory for their values.
//
// exit status: 0 fine · 3 lost, or wrong
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "conformance/harness/check_line.hpp"
#include "conformance/harness/mechanism.hpp"
#include "testing/check.hpp"
#include "testing/memory_hooks.hpp"
#include "threadref/threadref.hpp"

namespace {

using namespace threadref;
using namespace threadref::conformance;

// One registration of each kind, on a thread where any allocation may fail; and the result of each.
enum class step : unsigned char {
  small,     // in place
  boxed,     // too large for that
  copying,   // with an argument that allocates when it is copied
  callback,  // of a ref
  destructor,
  node,
  very_last,
  many,   // small ones, more than one mapping of the library holds
  early,  // an entry in glibc's list of thread_local destructors
  last = early
};
constexpr std::size_t steps = static_cast<std::size_t>(step::last) + 1;

class copies_allocate {
 public:
  copies_allocate() : memory_(std::make_unique<int>(0)) { ++alive; }
  copies_allocate(const copies_allocate& other) : memory_(std::make_unique<int>(*other.memory_)) {
    ++alive;
  }
  copies_allocate& operator=(const copies_allocate&) = delete;
  ~copies_allocate() { --alive; }
  static inline int alive = 0;

 private:
  std::unique_ptr<int> memory_;
};

// A direct back end may run them in another order than they were made in, and needs memory for
// each.
template <backend B>
constexpr bool one_list = !detail::direct_hook<B>;

template <backend B>
class registrations {
 public:
  // Makes all steps, on the calling thread. `now` is the current step, which the parent reads if
  // the process ends.
  void make(volatile step& now) {
    for (std::size_t i = 0; i != steps; ++i) {
      now = static_cast<step>(i);
      const counters before = stats<B>();
      made_[i] = now == step::many ? make_many() : (succeeds(now) ? 1 : 0);
      THREADREF_CHECK(stats<B>().registered - before.registered == made_[i],
                      "a registration was counted but failed, or the other way round");
      THREADREF_CHECK(copies_allocate::alive == 1 + static_cast<int>(made(step::copying)),
                      "a refused registration left a copy, or one that succeeded has none");
      THREADREF_CHECK(callback_.has_value() == (made(step::callback) != 0),
                      "a ref exists but failed to register, or the other way round");
      THREADREF_CHECK(node_.is_attached() == (made(step::node) != 0),
                      "an exit_node is attached but failed to register, or the other way round");
    }
  }
  // From the first one that runs on, `watch` sees the thread's allocations.
  void watch_exit(testing::memory_watch& watch) noexcept { at_exit_ = &watch; }

  // After the exit: exactly what was registered ran, once, and was counted as `counted`.
  void judge(std::uint64_t counters::*counted) const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i != steps; ++i) {
      THREADREF_CHECK(ran_[i] >= made_[i], "a registration did not run");
      THREADREF_CHECK(ran_[i] <= made_[i], "a refused registration ran, or one ran twice");
      sum += made_[i];
    }
    THREADREF_CHECK(in_order_ || !one_list<B>, "finalizers did not run newest first");
    const counters all = stats<B>();
    THREADREF_CHECK(all.registered == sum && all.*counted == sum, "miscounted");
    THREADREF_CHECK(copies_allocate::alive == 1, "a copy of an argument was not destroyed");
    THREADREF_CHECK(!node_.is_attached(), "an exit_node that ran is still attached");
  }
  [[nodiscard]] std::uint64_t made(step s) const { return made_[static_cast<std::size_t>(s)]; }

 private:
  bool succeeds(step s) {
    try {
      const std::errc error = make_one(s);
      return error == std::errc{} || is_refused(error);
    } catch (const std::bad_alloc&) {
      return false;
    } catch (const std::system_error& e) {
      return is_refused(static_cast<std::errc>(e.code().value()));
    } catch (...) {
      testing::die("an exception that is not documented for failed allocations", __FILE__, __LINE__,
                   0);
    }
  }
  // Without memory, a block is unavailable too.
  static bool is_refused(std::errc error) {
    THREADREF_CHECK(
        error == std::errc::not_enough_memory || error == std::errc::resource_unavailable_try_again,
        "an error that is not documented for failed allocations");
    return false;
  }
  std::errc make_one(step s) {
    switch (s) {
      case step::small:
        return try_finalize<B>([this] { note(step::small); }).error;
      case step::boxed:
        finalize<B>([this, more = std::array<std::byte, 64>{}] {
          static_cast<void>(more);
          note(step::boxed);
        });
        return {};
      case step::copying:
        finalize<B>([this](const copies_allocate&) { note(step::copying); }, original_);
        return {};
      case step::callback:
        callback_.emplace([this](const basic_ref<B>&) { note(step::callback); });
        return {};
      case step::destructor:
        variable_ = this;
        return static_cast<std::errc>(
            register_destructor<B>(&variable_, &run<step::destructor>).value());
      case step::node:
        return node_.attach(&run<step::node>, this);
      case step::very_last:
        return try_finalize_in<B>(exit_phase::very_last, [this] { note(step::very_last); }).error;
      case step::early:
        return try_finalize_in<B>(exit_phase::early, [this] { note(step::early); }).error;
      case step::many:
        break;
    }
    return std::errc::invalid_argument;
  }
  std::uint64_t make_many() {
    std::uint64_t count = 0;
    for (int i = 0; i != (one_list<B> ? 50'000 : 50); ++i) {
      const std::errc error = try_finalize<B>([this] { note(step::many); }).error;
      if (error == std::errc{} || is_refused(error)) ++count;
    }
    return count;
  }

  template <step S>
  static void run(void* self) {
    static_cast<registrations*>(self)->note(S);
  }
  void note(step s) noexcept {
    if (at_exit_ != nullptr) testing::watch_memory(std::exchange(at_exit_, nullptr));
    ++ran_[static_cast<std::size_t>(s)];
    if (s == step::destructor || s == step::very_last || s == step::early) return;
    in_order_ = in_order_ && s <= newest_left_;
    newest_left_ = s;
  }

  testing::memory_watch* at_exit_ = nullptr;
  std::array<std::uint64_t, steps> made_{};
  std::array<std::uint64_t, steps> ran_{};
  step newest_left_ = step::last;
  bool in_order_ = true;
  copies_allocate original_;
  void* variable_ = nullptr;
  std::optional<basic_ref<B>> callback_;
  basic_exit_node<B> node_;
};

// What a child reports to its parent.
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

// What children print to stderr. It is shown only if they fail: glibc prints a line for each
// process that it aborts.
int stderr_file() {
  static const int file = [] {
    const int made = memfd_create("stderr", MFD_CLOEXEC);
    THREADREF_CHECK_ERRNO(made >= 0, "memfd_create");
    return made;
  }();
  return file;
}
void print_stderr_of_child() {
  char text[1024];
  const ssize_t length = pread(stderr_file(), text, sizeof text, 0);
  if (length > 0) std::fwrite(text, 1, static_cast<std::size_t>(length), stderr);
}

// Runs body() in a child. glibc aborts when it has no memory for the destructor of a thread_local;
// nothing else may end the process.
template <class F>
end in_child(F body) {
  std::fflush(stdout);
  ::new (&shared()) report;
  THREADREF_CHECK_ERRNO(ftruncate(stderr_file(), 0) == 0, "ftruncate");
  THREADREF_CHECK_ERRNO(lseek(stderr_file(), 0, SEEK_SET) == 0, "lseek");
  const pid_t child = fork();
  THREADREF_CHECK_ERRNO(child >= 0, "fork");
  if (child == 0) {
    THREADREF_CHECK_ERRNO(dup2(stderr_file(), STDERR_FILENO) >= 0, "dup2");
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
  if (!fine) print_stderr_of_child();
  THREADREF_CHECK(fine, "a child failed; its output is above");
  return end::fine;
}

// Does a failed allocation at this step end the process? It does where glibc adds a thread_local's
// destructor to its list: it reports no error, but aborts.
template <backend B>
constexpr bool ends_process(step s) {
  switch (record_of(B::info)) {
    case thread_record::entry_per_finalizer:
      return s == step::small || s == step::boxed || s == step::copying || s == step::callback ||
             s == step::many || s == step::early;
    case thread_record::one_entry:  // added by the thread's first registration
      return s == step::small || s == step::early;
    case thread_record::of_another_library:
    case thread_record::none:
      return s == step::early;  // such an entry on every back end
  }
  return false;
}

// Called after the exit stages.
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

// In a child: makes registrations, and ends their thread, or the process.
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

// Children that glibc aborted. The phase early is an entry in glibc's list on every back end, as
// its documentation says.
struct ends {
  int all = 0;
  int outside_early = 0;
};

// 104. Strong guarantee: a registration succeeds entirely or has no effect. `fails_after`: all
// later allocations fail too. Returns how many calls could fail.
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
      THREADREF_CHECK(ends_process<B>(at), "a failed allocation ended the process");
      ended_at[static_cast<std::size_t>(at)] = true;
      ++seen.all;
      if (at != step::early) ++seen.outside_early;
      continue;
    }
    THREADREF_CHECK(shared().worked, "a child did not finish");
    if (shared().watch.failed != 0) continue;
    for (std::size_t i = 0; i != steps; ++i) {
      const bool missed = !ended_at[i] && ends_process<B>(static_cast<step>(i));
      THREADREF_CHECK(fails_after || !missed,
                      "a failed allocation did not end the process where its record implies it");
    }
    THREADREF_CHECK(k > 1, "no allocation was seen, so nothing was tested");
    return k - 1;
  }
}

constexpr testing::memory_watch all_fail{.fails_at = 1, .fails_after = true};

// 105. From the first finalizer on, all allocations fail, and none is attempted. Only main's exit
// stage asks the C library for a place among the exit handlers, which may need a block of 32: see
// fill_exit_table(). Without it, the stage runs in the library's own place.
template <backend B>
void needs_none_at_exit(on thread) {
  const end how = in_child([&] {
    thread_handle pin;  // so that the exit also handles a thread that is described
    live<B>(thread, [&](registrations<B>& all) {
      all.make(shared().now);
      for (std::size_t i = 0; i != steps; ++i)
        THREADREF_CHECK(all.made(static_cast<step>(i)) != 0,
                        "a registration was refused although there was memory");
      pin = current<B>();
      shared().watch = all_fail;
      all.watch_exit(shared().watch);
    });
  });
  THREADREF_CHECK(how == end::fine && shared().worked, "a child did not finish");
  THREADREF_CHECK(shared().watch.asked == (thread == on::main ? 1 : 0),
                  "the exit allocated memory");
}

// The result of a thread's first registration when malloc fails.
enum class outcome { works, refused, ends_process };

bool keys_are_late() {
  pthread_key_t probe{};
  THREADREF_CHECK_CALL(pthread_key_create(&probe, nullptr));
  THREADREF_CHECK_CALL(pthread_key_delete(probe));
  return probe >= 32;
}

template <backend B>
outcome expected_first() {
  switch (record_of(B::info)) {
    case thread_record::one_entry:
      return outcome::ends_process;
    case thread_record::of_another_library:
      return outcome::refused;
    case thread_record::entry_per_finalizer:  // its key is armed before the first entry is added
      return keys_are_late() ? outcome::refused : outcome::ends_process;
    case thread_record::none:
      return keys_are_late() ? outcome::refused : outcome::works;
  }
  return outcome::works;
}

// 103. A refused registration leaves nothing behind, and the next attempt starts clean.
template <backend B>
outcome first_without_memory() {
  const end how = in_child([] {
    // Blocks and slabs exist already; only the thread's hook is new.
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
      THREADREF_CHECK(error == std::errc::not_enough_memory,
                      "a failed allocation was reported as another error");
      THREADREF_CHECK(stats<B>().registered == before.registered,
                      "a refused registration was counted");
      finalize<B>(count);
    }).join();
    THREADREF_CHECK(ran == 1, "a finalizer did not run exactly once");
    THREADREF_CHECK(shared().worked == (watch.failed == 0),
                    "a registration was refused although no allocation failed");
    THREADREF_CHECK(enumerate<B>().empty(), "a dead thread is believed to be alive");
  });
  if (how == end::aborted) return outcome::ends_process;
  return shared().worked ? outcome::works : outcome::refused;
}

// The back end declares exactly what was seen.
template <backend B>
void report_checks(outcome first, const ends& seen) {
  if (keys_are_late()) {
    const bool declared = declared_deviation(B::info, no_memory_for_a_late_key) != nullptr;
    THREADREF_CHECK(
        declared == (first == outcome::ends_process),
        "the deviation from check 103 is declared but not seen, or seen but not declared");
    print_check(no_memory_for_a_late_key, B::info);
    return;
  }
  const bool declared = declared_deviation(B::info, memory_fails_at_each_call) != nullptr;
  THREADREF_CHECK(
      declared == (seen.outside_early != 0),
      "the deviation from check 104 is declared but not seen, or seen but not declared");
  print_check(memory_fails_at_each_call, B::info);
  print_check("c105_no_memory_during_the_exit", B::info);
}

template <backend B>
void check() {
  constexpr std::string_view outcome_names[] = {"works", "is refused", "ends the process"};
  const outcome first = first_without_memory<B>();
  THREADREF_CHECK(first == expected_first<B>(),
                  "a thread's first registration did not end as its record implies");
  ends seen;
  long failed = 0;
  for (const on thread : {on::a_thread, on::main}) {
    for (const bool fails_after : {false, true})
      failed += fails_in_turn<B>(thread, fails_after, seen);
    needs_none_at_exit<B>(thread);
  }
  std::printf("%-21s first without memory: %s; %ld failing calls, %d of which ended the process\n",
              B::info.name.data(), outcome_names[static_cast<int>(first)].data(), failed, seen.all);
  report_checks<B>(first, seen);
}

// With a watch that sees nothing, every check would pass.
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
  THREADREF_CHECK(heap == nullptr && mapped == MAP_FAILED && thrown,
                  "an allocation that should fail succeeds");
  THREADREF_CHECK(watch.asked >= 3, "allocations are not seen");
}

// glibc stores exit functions in blocks of 32. After this the next one needs memory, so arming the
// exit stage at the first registration can fail too.
void fill_exit_table() {
  testing::memory_watch watch;
  testing::watch_memory(&watch);
  const auto add = [] { THREADREF_CHECK(std::atexit([] {}) == 0, "atexit"); };
  while (watch.asked == 0) add();
  for (int i = 0; i != 31; ++i) add();
  testing::watch_memory(nullptr);
  THREADREF_CHECK(watch.asked == 1, "a block of exit functions does not hold 32");
}

}  // namespace

int main() {
  check_the_watch();
  fill_exit_table();
  for_each_type(backends{}, []<class B>() { check<B>(); });
}
