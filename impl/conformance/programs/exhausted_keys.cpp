// SPDX-License-Identifier: MIT
// L 101. All pthread keys are taken before the library makes its own. Each back end reports that,
// or works without a key; none uses a key that is not its own. And H 75: without a key, no back end
// is notified when main calls pthread_exit(). This is a process of its own, and without GoogleTest,
// which needs a key itself.
//
// exit status: 0 fine · 3 lost, or wrong
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <latch>
#include <system_error>
#include <thread>
#include <vector>

#include "conformance/harness/built_out.hpp"
#include "conformance/harness/check_line.hpp"
#include "testing/check.hpp"
#include "testing/destructor_work.hpp"
#include "threadref/threadref.hpp"

extern "C" [[gnu::weak]] void __lsan_do_leak_check();

namespace {

using namespace threadref;

int foreign_calls = 0;
int foreign_value = 0;

// The destructor of the first key. A back end that used key 0 because it got no key would have this
// called with its own data.
void first_destructor(void* value) {
  THREADREF_CHECK(value == &foreign_value, "a foreign destructor got data that is not its own");
  ++foreign_calls;
}

struct all_keys {
  pthread_key_t first{};
  int taken = 0;
  all_keys() {
    pthread_key_t key{};
    while (pthread_key_create(&key, taken == 0 ? &first_destructor : nullptr) == 0) {
      if (taken++ == 0) first = key;
    }
  }
};
// Constructed before the library's static objects.
[[gnu::init_priority(101)]] const all_keys keys;

// After a finalizer's pthread_exit, the rest has no round of key destructors to run in.
template <backend B>
bool survives_pthread_exit() {
  int ran = 0;
  std::thread([&] {
    const auto count = [&ran] { ++ran; };
    if (!try_finalize<B>(count)) return;
    finalize<B>(count);
    finalize<B>([] { pthread_exit(nullptr); });
    finalize<B>([] { pthread_exit(nullptr); });
    finalize<B>(count);
  }).join();
  THREADREF_CHECK(ran == 3 || ran == 0,
                  "a finalizer was lost after another one called pthread_exit");
  THREADREF_CHECK(enumerate<B>().empty(), "a dead thread is believed to be alive");
  return ran == 3;
}

template <backend B>
bool works() {
  bool ran = false;
  std::errc error{};
  const counters before = stats<B>();
  foreign_calls = 0;
  std::thread([&] {
    THREADREF_CHECK_CALL(pthread_setspecific(keys.first, &foreign_value));
    error = try_finalize<B>([&ran] { ran = true; }).error;
  }).join();
  THREADREF_CHECK(foreign_calls == 1, "a foreign destructor was not called exactly once");
  const bool refused = error == std::errc::resource_unavailable_try_again;
  THREADREF_CHECK(ran != B::info.needs_key,
                  "needs_key does not say whether it works without a key");
  THREADREF_CHECK(ran != refused,
                  "a finalizer was lost, or ran although registering it was refused");
  THREADREF_CHECK(stats<B>().registered - before.registered == (ran ? 1U : 0U),
                  "a refused registration was counted as registered");
  THREADREF_CHECK(survives_pthread_exit<B>() == ran,
                  "it registers without a key, but loses finalizers after a pthread_exit");
  std::printf("%-20s %s\n", B::info.name.data(), ran ? "works without a key" : "refused: no key");
  return ran;
}

// Destroyed after the exit stage.
[[gnu::init_priority(101)]] testing::destructor_work after_the_stage;

bool is_forked = false;

constexpr std::uint64_t without_atexit = 3;
template <backend B>
counters before_main_ends;

template <backend B>
void register_on_main() {
  if constexpr (!B::info.needs_key) {
    before_main_ends<B> = stats<B>();
    finalize<B>([] {});
    for (std::uint64_t i = 0; i != without_atexit; ++i) {
      finalize<B>([] {
        THREADREF_CHECK(false, "a finalizer with atexit(false) ran at the end of the process");
      }).atexit(false);
    }
  }
}

// Runs as many threads at once as there are blocks, so that one of them gets main's.
template <backend B>
void detach_in_all_blocks() {
  const std::size_t blocks = B::list::all().used();
  std::latch registered(static_cast<std::ptrdiff_t>(blocks));
  std::latch detached(1);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i != blocks; ++i) {
    threads.emplace_back([&] {
      finalize<B>([] {});
      registered.count_down();
      detached.wait();
    });
  }
  registered.wait();
  THREADREF_CHECK(B::list::all().used() == blocks, "main's block was not reused");
  const std::size_t count = detach_all<B>(reinterpret_cast<const void*>(&register_on_main<B>));
  detached.count_down();
  for (std::thread& t : threads) t.join();
  THREADREF_CHECK(count == blocks,
                  "a thread inherited registrations of the last thread of its block");
}

// Main's registrations were run by the exit stage, or belong to no thread any more.
template <backend B>
void expect_nothing_of_main() {
  constexpr const char* check = "c075_what_a_main_that_went_unheard_had_is_over";
  if constexpr (!B::info.needs_key) {
    const counters now = stats<B>();
    THREADREF_CHECK(now.ran_at_process_exit == before_main_ends<B>.ran_at_process_exit + 1,
                    "the stage did not run main's list");
    THREADREF_CHECK(now.abandoned == before_main_ends<B>.abandoned + without_atexit,
                    "finalizers with atexit(false) are not counted as abandoned");
    detach_in_all_blocks<B>();
    if (!is_forked) conformance::print_check(check, B::info);
  } else if (!is_forked) {
    conformance::print_not_applicable(check, B::info, "does not do without a key");
  }
}

// Before main ends here, it does so in the child of a fork, where it is the same thread.
void end_in_a_child_first() {
  std::fflush(stdout);
  const pid_t child = fork();
  THREADREF_CHECK_ERRNO(child >= 0, "fork");
  is_forked = child == 0;
  if (is_forked) return;
  int status = 0;
  THREADREF_CHECK_ERRNO(waitpid(child, &status, 0) == child, "waitpid");
  THREADREF_CHECK(status == 0, "in the child of a fork, main's list was lost");
}

// Ends main by pthread_exit, and then the process.
int run() {
  THREADREF_CHECK(keys.taken > 0, "no key could be created");
  for_each_type(backends{}, []<class B>() {
    THREADREF_CHECK(works<B>() == works<B>(),
                    "the second thread got another result than the first");
    conformance::print_check("c101_all_keys_are_taken", B::info);
  });
  if (!conformance::why_built_out(75).empty()) return testing::status_fine;
  for_each_type(backends{}, []<class B>() { register_on_main<B>(); });
  end_in_a_child_first();
  after_the_stage.work = [] {
    for_each_type(backends{}, []<class B>() { expect_nothing_of_main<B>(); });
  };
  // LeakSanitizer checks now: once main is gone it can't symbolize, and so can't match its
  // suppressions.
  if (__lsan_do_leak_check != nullptr) __lsan_do_leak_check();
  // This calls exit() explicitly: when the last thread returns, the C library calls exit() once
  // more for each thread that starts and ends in the meantime.
  std::thread([main = pthread_self()] {
    THREADREF_CHECK_CALL(pthread_join(main, nullptr));
    std::exit(testing::status_fine);
  }).detach();
  pthread_exit(nullptr);
}

}  // namespace

int main() {
  try {
    return run();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "exhausted_keys: %s\n", e.what());
    return testing::status_crashed;
  }
}
