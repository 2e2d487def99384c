// SPDX-License-Identifier: MIT
#include "stress/engine/yields.hpp"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <ctime>

#include "stress/engine/draw.hpp"
#include "threadref/detail/points.hpp"

namespace threadref::stress::yields {

namespace {

constexpr std::size_t points = detail::point_count;
constexpr std::size_t shards = 16;  // so that threads count in different cache lines

struct alignas(detail::cache_line) counts {
  std::atomic<std::uint64_t> reached[points];
  std::atomic<std::uint64_t> yielded[points];
  std::atomic<std::uint64_t> slept[points];
};
constinit std::array<counts, shards> counted{};
constinit std::array<int, points> weights{};
constinit std::uint64_t run_seed = 0;
constinit std::atomic<std::uint64_t> unseeded_threads{0};

// Trivially destructible: a thread reaches points until its very end.
struct own_choices {
  generator from;
  bool seeded = false;
};
constinit thread_local own_choices own;

void increment(std::atomic<std::uint64_t>& count) noexcept {
  count.fetch_add(1, std::memory_order_relaxed);
}

// Not usleep(): that is a cancellation point, and the library has points where no forced unwind may
// begin.
void sleep_50_us() noexcept {
  const timespec moment{.tv_sec = 0, .tv_nsec = 50'000};
  syscall(SYS_nanosleep, &moment, nullptr);
}

void on_point(detail::point where) noexcept {
  if (!own.seeded) enter(mix(run_seed, unseeded_threads.fetch_add(1, std::memory_order_relaxed)));
  const auto p = static_cast<std::size_t>(where);
  const std::uint64_t drawn = own.from();
  counts& c = counted[drawn >> 60U];
  increment(c.reached[p]);
  // In 4096ths: a weight of 8 yields in 512 of them and sleeps in 64.
  const auto chance = static_cast<std::uint64_t>(weights[p]);
  const std::uint64_t dice = drawn & 4095U;
  if (dice < 8 * chance) {
    increment(c.slept[p]);
    sleep_50_us();
  } else if (dice < 72 * chance) {
    increment(c.yielded[p]);
    sched_yield();
  }
}

}  // namespace

void plan(std::uint64_t seed, const std::vector<std::string>* only) {
  run_seed = seed;
  generator from(mix(seed, "weights"));
  constexpr int u = usual_weight;
  constexpr int choices[] = {0, u / 4, u, u, u, 4 * u};
  for (int& weight : weights) weight = choices[draw(from, 0, 5)];
  for (std::size_t p = 0; only != nullptr && p != points; ++p) {
    if (std::find(only->begin(), only->end(), detail::point_names[p]) == only->end())
      weights[p] = 0;
  }
  detail::set_point_hook(&on_point);
}

void enter(std::uint64_t seed) noexcept {
  own.from = generator(mix(seed, "yields"));
  own.seeded = true;
}

std::vector<row> report() {
  std::vector<row> rows;
  for (std::size_t p = 0; p != points; ++p) {
    row r{detail::point_names[p], weights[p], 0, 0, 0};
    for (const counts& c : counted) {
      r.reached += c.reached[p].load(std::memory_order_relaxed);
      r.yielded += c.yielded[p].load(std::memory_order_relaxed);
      r.slept += c.slept[p].load(std::memory_order_relaxed);
    }
    rows.push_back(r);
  }
  return rows;
}

}  // namespace threadref::stress::yields
