// SPDX-License-Identifier: MIT
// How a thread ends.
#include <pthread.h>
#include <unistd.h>

#include <stdexcept>

#include "matrix/events.hpp"
#include "matrix/makers.hpp"
#include "scenarios/check.hpp"

namespace threadref::stress {

namespace {

constexpr int some = 8;  // callbacks of a thread

int returns(scene& s) {
  on_new_thread(s, static_cast<maker>(s.condition()), [&s] { s.attach(some); });
  return 0;
}

// At some depth, with something to unwind on the way.
struct must_unwind {
  explicit must_unwind(int& count) noexcept : c(count) { ++c; }
  ~must_unwind() { --c; }
  must_unwind(const must_unwind&) = delete;
  must_unwind& operator=(const must_unwind&) = delete;
  int& c;
};

int exit_from(int depth, int& frames) {
  const must_unwind frame(frames);
  if (depth == 0 && frames > 0) pthread_exit(nullptr);
  if (depth == 0) return 0;
  return exit_from(depth - 1, frames) + 1;
}

int exits(scene& s) {
  on_new_thread(s, [&s] {
    s.attach(some);
    int frames = 0;
    exit_from(s.condition() == 0 ? 0 : 100, frames);
  });
  return 0;
}

int exits_in_a_callback(scene& s) {
  on_new_thread(s, [&s] {
    s.attach(some / 2);
    s.attach([](scene& /*in*/) { pthread_exit(nullptr); });
    s.attach(some / 2);
  });
  return 0;
}

// Nobody catches it: the process ends, in order or not.
int throws_uncaught(scene& s) {
  on_new_thread(s, [&s] {
    s.attach(some);
    throw std::runtime_error("nobody catches this");
  });
  return 0;
}

constexpr event rows[] = {
    {.name = "end/return",
     .asks = "do callbacks run when a thread returns, whoever made it?",
     .play = &returns,
     .conditions = {{{"pthread_create"},
                     {"std::thread"},
                     {"std::jthread"},
                     {"std::async"},
                     {"packaged_task"},
                     {"thrd_create"},
                     {"boost::thread"}}},
     .checks = "61, 66, 67, 68, 70"},
    {.name = "end/pthread_exit",
     .asks = "do they when the body calls pthread_exit?",
     .play = &exits,
     .conditions = {{{"at once"}, {"under 100 frames"}}},
     .checks = "62"},
    {.name = "end/pthread_exit_in_callback",
     .asks = "do the others still run when a callback calls pthread_exit?",
     .play = &exits_in_a_callback,
     .checks = "62, 125"},
    {.name = "end/uncaught_exception",
     .asks = "do they when an exception leaves the body, and nobody catches it?",
     .play = &throws_uncaught,
     .checks = "52",
     .promise = word::crashes,
     .not_under_tsan = "it ends by abort(), which the sanitizer reports",
     .not_under_asan = "it ends by abort(), which the sanitizer reports"},
};

}  // namespace

std::span<const event> end_events() {
  return rows;
}

}  // namespace threadref::stress
