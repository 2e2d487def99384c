// SPDX-License-Identifier: MIT
#include "bench/timing/probe.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>

#include "testing/check.hpp"

namespace threadref::bench {

namespace {

// So that the empty region contains a call, as the timed regions do.
[[gnu::noinline]] void nothing() {
  asm volatile("" ::: "memory");
}

// A thread's first malloc creates its cache, and the first reading of the clock faults in its page.
// Both must happen before anything is timed.
void warm_up() {
  void* volatile first = std::malloc(64);
  std::free(first);
  static_cast<void>(now());
  nothing();
}

}  // namespace

account::account(int most)
    : seen_(static_cast<std::size_t>(most)), storage_(static_cast<std::size_t>(most)) {
  for (std::int64_t id = 0; id != most; ++id) calls_.push_back({&done, id});
  done.seen = seen_.data();
  done.calls = calls_.data();
}

void account::open(int registered) {
  registered_ = registered;
  std::fill(seen_.begin(), seen_.end(), std::uint8_t{0});
  done.due = registered - 1;
  done.misordered = done.refused = 0;
  done.end = 0;
}

// Finalizers with ids beyond `registered_` were cancelled: one that ran nevertheless counts as
// doubled.
verdict account::judge() const {
  verdict v;
  v.misordered = done.misordered;
  const auto last = seen_.begin() + registered_;
  v.lost = static_cast<std::uint64_t>(std::count(seen_.begin(), last, std::uint8_t{0}));
  v.lost += done.refused;
  for (auto at = seen_.begin(); at != last; ++at) v.doubled += *at > 1 ? 1U : 0U;
  for (auto at = last; at != seen_.end(); ++at) v.doubled += *at != 0 ? 1U : 0U;
  return v;
}

// The offset of a thread's frames within a page is the same for all threads of a program, and can
// matter as much as the mechanism: 256 bytes more of thread_locals moved a registration from 2.3 to
// 4.1 ns (2026-11-20, amd-epyc-2c). So each thread uses another of the 64 cache lines of a page, in
// an order that does not resonate with any other period.
std::size_t next_offset() {
  static std::atomic<std::size_t> threads{0};
  return (threads.fetch_add(37, std::memory_order_relaxed) % 64) * 64;
}

void* probe::enter(void* self) {
  auto* const pushed = static_cast<volatile char*>(__builtin_alloca(next_offset() + 64));
  *pushed = 0;
  run_here(*static_cast<probe*>(self));
  return nullptr;
}

void probe::run_here(probe& at) {
  warm_up();
  const instant before = now();
  nothing();
  at.empty_ = now() - before;
  at.what_(at);
}

void probe::begin(routine what, int registered) {
  what_ = what;
  open(registered);
  start = stop = 0;
  born_ = now();
  THREADREF_CHECK_CALL(pthread_create(&thread_, nullptr, &enter, this));
}

sample probe::join(verdict& found) {
  THREADREF_CHECK_CALL(pthread_join(thread_, nullptr));
  const instant joined = now();
  found.add(judge());
  const instant end = stop != 0 ? stop : std::max(done.end, start);
  return {end - start, empty_, joined - start, joined - born_};
}

sample probe::run(routine what, int registered, verdict& found) {
  begin(what, registered);
  return join(found);
}

sample run_probe(probe& at, probe::routine what, int registered, verdict& found) {
  return at.run(what, registered, found);
}

}  // namespace threadref::bench
