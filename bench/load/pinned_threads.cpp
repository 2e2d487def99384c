// SPDX-License-Identifier: MIT
#include "bench/load/pinned_threads.hpp"

#include <sched.h>

#include <cstddef>

#include "testing/check.hpp"

namespace threadref::bench {

namespace {

// Long enough for all threads to arrive if each has a CPU to itself. If something else occupies a
// CPU, yielding lets it finish.
constexpr int looks_before_yield = 10'000;

}  // namespace

pinned_threads::pinned_threads(const std::vector<int>& cpus, int threads, int most) {
  for (std::size_t i = 0; i != static_cast<std::size_t>(threads); ++i) {
    probes_.emplace_back(most).shared = &slots_.emplace_back(slot{this, cpus[i % cpus.size()]});
  }
}

sample pinned_threads::run(probe::routine what, int n, int registered, verdict& found) {
  missing_.store(static_cast<int>(probes_.size()), std::memory_order_relaxed);
  for (probe& at : probes_) {
    at.n = n;
    at.begin(what, registered);
  }
  sample sum;
  for (probe& at : probes_) {
    const sample s = at.join(found);
    sum.region += s.region;
    sum.empty += s.empty;
    sum.total += s.total;
    sum.life += s.life;
  }
  const auto count = static_cast<instant>(probes_.size());
  return {sum.region / count, sum.empty / count, sum.total / count, sum.life / count};
}

void pinned_threads::pin_to_slot(const probe& at) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<const slot*>(at.shared)->cpu, &set);
  THREADREF_CHECK_ERRNO(sched_setaffinity(0, sizeof set, &set) == 0, "sched_setaffinity");
}

void pinned_threads::wait_at_barrier(const probe& at) {
  std::atomic<int>& missing = static_cast<const slot*>(at.shared)->owner->missing_;
  missing.fetch_sub(1, std::memory_order_acq_rel);
  for (int looks = 0; missing.load(std::memory_order_acquire) > 0;) {
    if (++looks % looks_before_yield == 0) sched_yield();
  }
}

}  // namespace threadref::bench
