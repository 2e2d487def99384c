// SPDX-License-Identifier: MIT
// What is registered while a thread ends, or a process.
#include <pthread.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <mutex>

#include "stress/matrix/child/foreign.hpp"
#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/model/events.hpp"
#include "testing/check.hpp"
#include "threadref/config.hpp"

namespace threadref::stress {

namespace of_late {
namespace {

constexpr int some = 4;  // callbacks before and after

void one_more(scene& s) {
  s.attach();
}

std::atomic<int> to_come{0};
void next_of_chain(scene& s) {
  if (to_come.fetch_sub(1) > 0) s.attach(&next_of_chain);
}

int in_a_callback(scene& s) {
  on_new_thread(s, [&s] {
    s.attach(some);
    if (s.condition() == 0) s.attach(&one_more);
    if (s.condition() == 1) s.attach(some, [](scene& in) { in.attach(some, &one_more); });
    if (s.condition() > 1) {
      to_come.store(s.condition() == 2 ? 10 : s.size(10'000));
      s.attach(&next_of_chain);
    }
    s.attach(some);
  });
  return 0;
}

// It is no promise, and so not graded: the question is whether the thread ends.
void another(void* in) {
  static_cast<scene*>(in)->subject.attach({&another, in});
}

int for_ever(scene& s) {
  on_new_thread(s, [&s] {
    s.subject.attach({&another, &s});
    s.attach(some);
  });
  return 0;
}

int in_a_thread_local(scene& s) {
  const bool made_before = s.condition() % 2 == 0;
  on_new_thread(s, s.condition() < 2 ? maker::posix : maker::boost, [&] {
    const auto work = [&s] { s.attach(some); };
    if (made_before) at_thread_local_end(work);
    s.attach(some);
    if (!made_before) at_thread_local_end(work);
  });
  return 0;
}

constexpr int last_round = detail::destructor_rounds;

int in_a_key(scene& s) {
  const pthread_key_t key = s.condition() == 0 ? older_key() : younger_key(s);
  key_task each(last_round - 1, [&s](int /*round*/) { s.attach(); });
  on_new_thread(s, [&] {
    each.arm(key);
    s.attach(some);
  });
  return 0;
}

int in_the_last_round(scene& s) {
  const pthread_key_t key = s.condition() == 0 ? older_key() : younger_key(s);
  key_task last(last_round, [&s](int round) {
    if (round == last_round) s.attach();
  });
  on_new_thread(s, [&] {
    last.arm(key);
    s.attach(some);
  });
  return 0;
}

int first_in_the_last_round(scene& s) {
  const pthread_key_t key = younger_key(s);
  key_task last(last_round, [&s](int round) {
    if (round == last_round) s.attach();
  });
  on_new_thread(s, [&] { last.arm(key); });
  return 0;
}

int in_atexit(scene& s) {
  THREADREF_CHECK(std::atexit([] { scene::here().attach(some); }) == 0, "atexit");
  if (s.condition() == 1) s.attach(some);
  return 0;
}

// Runs after all that was registered with atexit.
std::atomic<scene*> at_the_very_end{nullptr};
[[gnu::destructor]] void after_the_others() {
  if (scene* const s = at_the_very_end.load(); s != nullptr) s->attach(some);
}

int after_the_stage(scene& s) {
  if (s.condition() == 1) s.attach(some);
  at_the_very_end.store(&s);
  return 0;
}

// What a logger does.
std::mutex log_lock;
int uses_the_library(scene& s) {
  on_new_thread(s, [&s] {
    s.attach(some, [](scene& in) {
      const std::scoped_lock locked(log_lock);
      std::cout << "a callback of thread " << in.thread() << '\n';
      std::printf("has run\n");
      in.attach();
      if (in.subject.watch == nullptr) return;
      if (const auto alive = in.subject.watch(); alive != nullptr && alive())
        in.misdeed("a thread that ends has a reference that says that it lives");
      if (in.subject.threads().empty())
        in.misdeed("a thread that ends is not among those that live");
    });
  });
  return 0;
}

// With what the body has left, in each place where a thread may run code.
void allocate(scene& s) {
  static constinit thread_local std::array<unsigned char*, 8> kept{};
  constexpr std::size_t size = 1'000;
  for (unsigned char*& one : kept) {
    if (one != nullptr && (one[0] != 7 || one[size - 1] != 7)) s.misdeed("memory was overwritten");
    std::free(one);
    one = static_cast<unsigned char*>(std::malloc(size));
    THREADREF_CHECK(one != nullptr, "malloc");
    one[0] = one[size - 1] = 7;
  }
}

int allocates(scene& s) {
  const pthread_key_t key = s.condition() == 0 ? older_key() : younger_key(s);
  key_task rounds(last_round - 1, [&s](int /*round*/) {
    allocate(s);
    s.attach(&allocate);
  });
  on_new_thread(s, [&] {
    rounds.arm(key);
    at_thread_local_end([&s] { allocate(s); });
    s.attach(some, &allocate);
    allocate(s);
  });
  return 0;
}

// A callback takes out a sibling that is pending, or itself.
std::function<bool()> detach;

int detaches(scene& s) {
  on_new_thread(s, [&s] {
    s.attach(some);
    if (s.condition() == 0) {
      detach = s.attach_detachable();
      s.attach([](scene& in) {
        if (!detach()) in.misdeed("a pending sibling was not to be had");
      });
    } else {
      detach = s.attach_detachable([](scene& in) {
        if (detach()) in.misdeed("it was taken back while it ran");
      });
    }
    s.attach(some);
  });
  return 0;
}

void set_value(scene& s, void (*then)(scene&)) {
  const scene::offer o = s.begin(then);
  scene::accepted(o, s.subject.set_value(o.what));
}

int sets_its_value(scene& s) {
  if (s.subject.set_value == nullptr) {
    s.absent("it keeps a list, and no value that could be set again");
    return 0;
  }
  on_new_thread(s, s.condition() == 0 ? maker::posix : maker::boost, [&s] {
    s.attach(some);
    set_value(s, [](scene& in) { set_value(in, nullptr); });
  });
  return 0;
}

constexpr event rows[] = {
    {.name = "late/in_callback",
     .asks = "does what a callback registers run in the same exit?",
     .play = &in_a_callback,
     .conditions =
         {{{"one"}, {"many that each register one"}, {"a chain of 10"}, {"a chain of 10 000"}}},
     .checks = "37, 38"},
    {.name = "late/for_ever",
     .asks = "does a thread end although a callback always registers another?",
     .play = &for_ever,
     .checks = "39",
     .cpu_seconds_given = 5,
     .slow = true},
    {.name = "late/thread_local",
     .asks = "does what a thread_local's destructor registers?",
     .play = &in_a_thread_local,
     .conditions = {{{"made before the first callback"},
                     {"made after"},
                     {"made before, on a boost::thread"},
                     {"made after, on a boost::thread"}}},
     .checks = "42",
     .bugs = {14, 15}},
    {.name = "late/foreign_key",
     .asks = "does what a foreign key's destructor registers, in each round but the last?",
     .play = &in_a_key,
     .conditions = {{{"lower index"}, {"higher index"}}},
     .checks = "43, 107",
     .bugs = {14, 17}},
    {.name = "late/after_drain",
     .asks = "does what it registers in the last round, when the drain may be over?",
     .play = &in_the_last_round,
     .conditions = {{{"lower index"}, {"higher index"}}},
     .checks = "43, 107",
     .promise = word::refused},
    {.name = "late/first_in_last_round",
     .asks = "does what it registers there, if the thread had nothing before?",
     .play = &first_in_the_last_round,
     .checks = "43, 107",
     .promise = word::lost,
     .not_under_tsan = "it ends a thread in that round"},
    {.name = "late/atexit",
     .asks = "does what an atexit handler registers on main?",
     .play = &in_atexit,
     .conditions = {{{"for the first time"}, {"again"}}},
     .checks = "44, 82"},
    {.name = "late/after_exit_stage",
     .asks = "does what main registers after all atexit handlers?",
     .play = &after_the_stage,
     .conditions = {{{"for the first time"}, {"again"}}},
     .checks = "44",
     .promise = word::refused},
    // Shows.
    {.name = "late/uses_library",
     .asks = "can a callback log, lock, register, and ask about its thread?",
     .play = &uses_the_library,
     .checks = "114",
     .bugs = {20}},
    {.name = "late/allocates",
     .asks = "can callbacks free what the body allocated, and allocate, wherever they run?",
     .play = &allocates,
     .conditions = {{{"lower index"}, {"higher index"}}},
     .checks = "114",
     .bugs = {18, 19}},
    {.name = "late/detaches",
     .asks = "can a callback detach a pending sibling, and not itself?",
     .play = &detaches,
     .conditions = {{{"a sibling"}, {"itself"}}},
     .checks = "24, 25",
     .bugs = {32},
     .why_not = &needs_detaching},
    {.name = "late/sets_own_value",
     .asks = "does the destructor run again for the value that it sets?",
     .play = &sets_its_value,
     .conditions = {{{"pthread_create"}, {"boost::thread"}}},
     .checks = "41",
     .bugs = {32}},
};

}  // namespace
}  // namespace of_late

std::span<const event> late_events() {
  return of_late::rows;
}

}  // namespace threadref::stress
